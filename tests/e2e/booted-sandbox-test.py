"""Each directive of the units' sandboxes by itself, in a systemd that was really booted: none of them is silently ignored."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import directives
from case import *
from machine import Machine, prepare, stage


@case
def each_directive_of_the_daemon_is_in_force_by_itself(w):
    print("# %d directives" % directives.each_is_in_force(w, "imagekeeperd.service", stage))


@case
def each_directive_of_sync_is_in_force_by_itself(w):
    print("# %d directives" % directives.each_is_in_force(w, "imagekeeper-sync.service", stage))


@case
def a_directive_without_a_probe_is_found(w):
    found = directives.directives("imagekeeperd.service", stage)
    assert directives.without_probe(found) == []
    found.update(PrivateNetwork=["PrivateNetwork=yes"], SystemCallFilter=["SystemCallFilter=~@mount @chown"])
    assert directives.without_probe(found) == ["SystemCallFilter @mount", "PrivateNetwork"]


prepare({})
run(world=Machine)
