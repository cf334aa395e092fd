/*
 * The changes that a schedule wants: what is due is made, what retention drops is marked and later deleted. And what
 * such a change is when the backup has been read again, right before it is written. Pure.
 */
#pragma once

#include "plan/plan.h"

/* Adds the changes and notes of one schedule to the plan; differs[i] becomes true where the series number `i` has a
 * change that is a difference. */
void scheduled_changes(Plan *plan, const PlanOptions *options, const Spec *spec, const Observed *observed,
                       bool *differs);
/* A note where an account's schedules take more volumes than a round may make backups of: before the night in which it
 * would matter. */
void scheduled_limit(Plan *plan, const PlanOptions *options, const Snapshot *snapshot);

/* After execution: a slot that was not made, or of which nothing is known, is looked at again before the interval is
 * over, as it is made for a while only. */
void scheduled_look_again(Plan *plan);

/* Is the backup that makes a deletion harmless as good as the list showed it? */
bool newest_holds(const Change *change, const Live *now);
/* Does what was planned still hold for the backup as it is now? Else *ret_why says what is different. */
bool retention_holds(const Change *change, const Live *now, const char **ret_why);
/* What is still to be written to the backup: its mark, or the mark's removal. */
void retention_diff(const Change *change, const Live *now, Arena *arena, Deltas *deltas);
