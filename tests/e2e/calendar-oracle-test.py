#!/usr/bin/env python3
"""The calendar code against others that know: systemd-analyze, croniter, and a model that tries every day. Prints TAP.

Expressions are generated from a seed, which is printed; IMAGEKEEPER_CALENDAR_SEED sets it, IMAGEKEEPER_CALENDAR_ROUNDS scales
how many there are (1: as many as a test run has time for). `PROGRAM.py PATTERN` runs the matching cases alone.
"""
import bisect
import calendar
import collections
import datetime
import fnmatch
import os
import random
import re
import shutil
import subprocess
import sys
import traceback
import zoneinfo

TOOL = os.environ.get("CALENDAR_TOOL", "tests/calendar/calendar-tool")
ZONES_FOLDER = os.environ.get("TZDIR", "/usr/share/zoneinfo")
SEED = int(os.environ.get("IMAGEKEEPER_CALENDAR_SEED") or random.SystemRandom().randrange(10**9))
ROUNDS = float(os.environ.get("IMAGEKEEPER_CALENDAR_ROUNDS") or 1)
MILLION = 10**6
DAY = 86400
FIRST_YEAR, END_YEAR = 2026, 2046
EPOCH = datetime.date(1970, 1, 1)
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Kathmandu",
         "Asia/Tehran", "Pacific/Apia", "America/St_Johns", "Europe/Dublin", "Antarctica/Troll", "Africa/Cairo", "America/Nuuk",
         "Asia/Gaza", "Etc/GMT+5"]
FIXED = ["UTC", "Etc/GMT+5", "Etc/GMT-9", "Asia/Kathmandu"]


class Skip(Exception):
    pass


def times(n):
    return max(1, int(n * ROUNDS))


def day_number(year, month=1, day=1):
    return (datetime.date(year, month, day) - EPOCH).days


def ask(rows):
    """The tool's answers: a list of instants, or the text of an error, for each (grammar, zone, base, count, expression)."""
    text = "".join("%s\t%s\t%d\t%d\t%s\n" % row for row in rows)
    done = subprocess.run([TOOL], input=text, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, "the tool ended with %d\n%s" % (done.returncode, done.stderr)
    lines = done.stdout.split("\n")[:-1]
    assert len(lines) == len(rows), "the tool answered %d of %d lines" % (len(lines), len(rows))
    for row, line in zip(rows, lines):
        assert "has-not" not in line, "calendar_has denies what calendar_next says: %r" % (row,)
    return [line if line.startswith("error") else [int(word) for word in line.split()] for line in lines]


# ---- Expressions: their text, and what they mean

def pick_range(rng, low, high):
    """(start, stop or None, step or None), valid."""
    form = rng.random()
    start = rng.randint(low, high)
    if form < 0.45:
        return start, None, None
    if form < 0.65:
        return start, rng.randint(start, high), None
    if form < 0.85:
        start = rng.randint(low, high - 1)
        return start, None, rng.randint(1, high - start)
    return start, rng.randint(start, high), rng.randint(1, high - low)


def write_range(rng, item, width, range_text):
    def number(n):
        return "%0*d" % (width, n) if rng.random() < 0.5 else "%d" % n
    start, stop, step = item
    return number(start) + (range_text + number(stop) if stop is not None else "") + ("/%d" % step if step else "")


def expand(item, high):
    start, stop, step = item
    if stop is None:
        stop = high if step else start
    return set(range(start, stop + 1, step or 1))


def make_field(rng, low, high, any_chance=0.3, items=3):
    """Its text and its values; the text "*" for all."""
    if rng.random() < any_chance:
        return "*", set(range(low, high + 1))
    ranges = [pick_range(rng, low, high) for _ in range(rng.choice([1, 1, 1, items]))]
    return ",".join(write_range(rng, r, 2, "..") for r in ranges), set().union(*(expand(r, high) for r in ranges))


def make_last_days(rng):
    """Days counted from the end of the month; a step leads towards it."""
    texts, values = [], set()
    for _ in range(rng.choice([1, 1, 2])):
        start, stop, step = item = pick_range(rng, 1, 28)
        if stop is None and step:
            step = rng.randint(1, max(1, start - 1))
            if step > start - 1:
                step = None
            item = (start, None, step)
            values |= set(range(start, 0, -step)) if step else {start}
        else:
            values |= expand(item, 28)
        texts.append(write_range(rng, item, 2, ".."))
    return ",".join(texts), values


def decimal(rng, microseconds):
    whole, part = divmod(microseconds, MILLION)
    text = "%02d.%06d" % (whole, part)
    if rng.random() < 0.7:
        text = text.rstrip("0").rstrip(".")
    elif rng.random() < 0.3:
        text += rng.choice(["2", "49", "0"])
    return text


def make_seconds(rng):
    if rng.random() < 0.15:
        return "*", {s * MILLION for s in range(60)}
    texts, values = [], set()
    for _ in range(rng.choice([1, 1, 2])):
        unit = rng.choice([MILLION, MILLION, MILLION // 2, MILLION // 4, 1])
        limit = 60 * MILLION - 1
        start = rng.randrange(0, 59 * MILLION) // unit * unit
        form = rng.random()
        stop, step = None, None
        if form > 0.6:
            stop = rng.randrange(start + MILLION, limit + 1) if start + MILLION <= limit else None
        if form > 0.8 or 0.3 < form < 0.6:
            step = max(rng.randrange(1, limit - start + 1) // unit * unit, min(2 * MILLION, limit - start))
        end = stop if stop is not None else limit if step else start
        values |= set(range(start, end + 1, step or MILLION))
        texts.append(decimal_exact(start) + (".." + decimal_exact(stop) if stop is not None else "") +
                     ("/" + decimal_exact(step) if step else ""))
    return ",".join(texts), values


def decimal_exact(microseconds):
    whole, part = divmod(microseconds, MILLION)
    return ("%d.%06d" % (whole, part)).rstrip("0").rstrip(".")


def make_weekdays(rng):
    def name(i):
        text = WEEKDAYS[i][:rng.choice([3, 99])]
        return rng.choice([text, text.lower(), text.upper()])
    texts, values = [], set()
    for _ in range(rng.choice([1, 1, 2, 3])):
        first = rng.randrange(7)
        last = rng.choice([first, rng.randint(first, 6)])
        texts.append(name(first) + (rng.choice(["..", "-"]) + name(last) if last != first or rng.random() < 0.1 else ""))
        values |= set(range(first, last + 1))
    return ",".join(texts) + rng.choice(["", "", ","]), values


class Expression:
    """Text, and sets of years, months, days, last days (or None), weekdays (0: Monday), hours, minutes, microseconds."""
    either = False

    def __init__(self):
        self.years = self.last_days = None
        self.months, self.days, self.weekdays = set(range(1, 13)), set(range(1, 32)), set(range(7))
        self.hours, self.minutes, self.microseconds = {0}, {0}, {0}

    def has_day(self, date, length):
        if self.years is not None and date.year not in self.years or date.month not in self.months:
            return False
        by_day = length + 1 - date.day in self.last_days if self.last_days is not None else date.day in self.days
        by_weekday = date.weekday() in self.weekdays
        return by_day or by_weekday if self.either else by_day and by_weekday

    def locals(self, first, end):
        """Clock readings in microseconds, of the days from `first` to before `end`: every day is tried."""
        in_day = sorted((h * 3600 + m * 60) * MILLION + u for h in self.hours for m in self.minutes for u in self.microseconds)
        for day in range(first, end):
            date = EPOCH + datetime.timedelta(days=day)
            if self.has_day(date, calendar.monthrange(date.year, date.month)[1]):
                base = day * DAY * MILLION
                for t in in_day:
                    yield base + t


SHORTHANDS = {"minutely": (0, 0), "hourly": (0, 0), "daily": (0, 0), "weekly": (0, 1), "monthly": (1, 0), "yearly": (2, 0),
              "annually": (2, 0)}


def make_shorthand(rng, e):
    word = rng.choice(sorted(SHORTHANDS))
    if word in ("minutely", "hourly"):
        e.hours = set(range(24))
    if word == "minutely":
        e.minutes = set(range(60))
    if word == "weekly":
        e.weekdays = {0}
    if word in ("monthly", "yearly", "annually"):
        e.days = {1}
    if word in ("yearly", "annually"):
        e.months = {1}
    e.text = rng.choice([word, word.upper(), word.capitalize()])


def make_date(rng, e):
    month, e.months = make_field(rng, 1, 12, 0.5)
    if rng.random() < 0.3:
        day, e.last_days = make_last_days(rng)
        text = month + "~" + day
    else:
        day, e.days = make_field(rng, 1, 31)
        text = month + "-" + day
    form = rng.random()
    if form < 0.4:
        return text
    if form < 0.8:
        return "*-" + text
    years = [pick_range(rng, FIRST_YEAR - 2, END_YEAR + 10) for _ in range(rng.choice([1, 2]))]
    years = [(start, stop, step and step % 9 + 1) for start, stop, step in years]
    e.years = set().union(*(expand(r, 2199) for r in years))
    short = rng.random() < 0.2 and all(r[1] is None or r[1] < 2070 for r in years)
    if short:
        years = [(start - 2000, stop and stop - 2000, step) for start, stop, step in years]
    return ",".join(write_range(rng, r, 2 if short else 4, "..") for r in years) + "-" + text


def make_time(rng, e, sparse):
    any_chance = 0 if sparse else 0.3
    hour, e.hours = make_field(rng, 0, 23, any_chance, 2)
    minute, e.minutes = make_field(rng, 0, 59, any_chance, 2)
    text = hour + ":" + minute
    if rng.random() < 0.4:
        second, e.microseconds = make_seconds(rng)
        text += ":" + second
    return text


def make_systemd(rng, sparse=False):
    """A valid one."""
    e = Expression()
    if rng.random() < 0.05 and not sparse:
        make_shorthand(rng, e)
        return e
    parts = []
    if rng.random() < 0.4:
        text, e.weekdays = make_weekdays(rng)
        parts.append(text)
    if rng.random() < 0.7:
        parts.append(make_date(rng, e))
    if rng.random() < 0.8 or not parts:
        parts.append(make_time(rng, e, sparse))
    e.text = (" " * rng.choice([1, 1, 1, 2])).join(parts)
    if sparse and len(e.hours) * len(e.minutes) * len(e.microseconds) > 6:
        return make_systemd(rng, sparse)
    return e


MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAY_NAMES = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


def make_cron_field(rng, low, high, any_chance, names=()):
    form = rng.random()
    if form < any_chance:
        return "*", set(range(low, high + 1))
    if form < any_chance + 0.15:
        step = rng.randint(1, high - low)
        return "*/%d" % step, set(range(low, high + 1, step))
    if form < any_chance + 0.25 and names:
        i = rng.randrange(len(names))
        return rng.choice([names[i], names[i].upper()]), {low + i}
    ranges = [pick_range(rng, low, high) for _ in range(rng.choice([1, 1, 2]))]
    ranges = [(start, stop, step if stop is not None or start < high else None) for start, stop, step in ranges]
    return ",".join(write_range(rng, r, 2, "-") for r in ranges), set().union(*(expand(r, high) for r in ranges))


def make_cron(rng, sparse=False):
    e = Expression()
    minute, e.minutes = make_cron_field(rng, 0, 59, 0 if sparse else 0.2)
    hour, e.hours = make_cron_field(rng, 0, 23, 0 if sparse else 0.3)
    day, e.days = make_cron_field(rng, 1, 31, 0.4)
    month, e.months = make_cron_field(rng, 1, 12, 0.6, MONTH_NAMES)
    weekday, weekdays = make_cron_field(rng, 0, 7, 0.4, DAY_NAMES)
    e.weekdays = {(n - 1) % 7 for n in weekdays}
    e.either = day[0] != "*" and weekday[0] != "*"
    e.text = " ".join([minute, hour, day, month, weekday])
    if sparse and len(e.hours) * len(e.minutes) > 6:
        return make_cron(rng, sparse)
    return e


def spoil(rng, text):
    """One to three characters changed; what comes of it may be valid."""
    for _ in range(rng.choice([1, 1, 2, 3])):
        at, what = rng.randrange(len(text) + 1), rng.choice("0123456789**--~::,,.../// @MonFrix") * rng.choice([1, 1, 2])
        text = text[:at] + rng.choice(["", what]) + text[at + rng.choice([0, 1]):]
    return text


# ---- The model: local readings become instants by what Python's zoneinfo says of the zone

class Clock:
    """The changes of a zone's clocks, found by looking at it every six hours."""

    def __init__(self, name):
        self.zone = zoneinfo.ZoneInfo(name)
        self.changes = []  # (instant, offset before, offset after)
        t = (day_number(FIRST_YEAR) - 400) * DAY
        end = (day_number(END_YEAR) + 400) * DAY
        before = self.first = self.offset(t)
        while t < end:
            t += 6 * 3600
            after = self.offset(t)
            if after != before:
                low, high = t - 6 * 3600, t
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if self.offset(middle) == before else (low, middle)
                self.changes.append((high, before, after))
                before = after
        self.gaps = [(at + before, at + after, at) for at, before, after in self.changes if after > before]
        self.ends = [end for _, end, _ in self.gaps]
        self.starts = [at for at, _, _ in self.changes]

    def offset(self, t):
        return int(datetime.datetime.fromtimestamp(t, self.zone).utcoffset().total_seconds())

    def offset_then(self, t):
        i = bisect.bisect_right(self.starts, t)
        return self.changes[i - 1][2] if i else self.first

    def instant(self, local):
        """What is in a gap comes at its end; what is there twice, when it is there first."""
        second, rest = divmod(local, MILLION)
        i = bisect.bisect_right(self.ends, second)
        if i < len(self.gaps) and self.gaps[i][0] <= second:
            return self.gaps[i][2] * MILLION
        around = {self.offset_then(second - 2 * DAY), self.offset_then(second), self.offset_then(second + 2 * DAY)}
        return min(second - o for o in around if self.offset_then(second - o) == o) * MILLION + rest


_clocks = {}


def clock(name):
    if name not in _clocks:
        _clocks[name] = Clock(name)
    return _clocks[name]


def model(e, zone, begin, end, limit=10**9):
    """The instants in (begin, end), at most `limit` of them."""
    found, last = [], begin
    for local in e.locals(begin // (DAY * MILLION) - 2, end // (DAY * MILLION) + 2):
        t = clock(zone).instant(local)
        if last < t < end:
            found.append(t)
            last = t
            if len(found) == limit:
                break
    return found


def compare_with_model(rng, grammar, make, n, windows):
    """`windows`: only the days around changes of the clocks, with all that happens there; else sparse ones, all years."""
    rows, expected = [], []
    for _ in range(times(n)):
        e, zone = make(rng, not windows), rng.choice(ZONES)
        changes = clock(zone).changes
        begin, end = day_number(FIRST_YEAR) * DAY, day_number(END_YEAR) * DAY
        if windows:
            middle = rng.choice(changes)[0] if changes else rng.randrange(begin, end)
            begin, end = middle - rng.randrange(9000), middle + rng.randrange(3600, 16000)
        begin, end = begin * MILLION, end * MILLION
        if len(e.microseconds) > 70:
            continue
        want = model(e, zone, begin, end)
        rows += [(grammar, zone, begin, len(want) + 1, e.text), (grammar, zone, end, -len(want) - 1, e.text)]
        expected.append((want, begin, end))
    answers = ask(rows)
    for i, (want, begin, end) in enumerate(expected):
        row = rows[2 * i]
        forward, backward = answers[2 * i:2 * i + 2]
        assert isinstance(forward, list), "%r: %s" % (row, forward)
        check_instants(row, want, [t for t in forward if t < end])
        check_instants(row, want, [t for t in reversed(backward) if t > begin])
    print("# %d compared" % len(expected))


def show(t):
    return "%s+%06d" % (datetime.datetime.utcfromtimestamp(t // MILLION).isoformat(), t % MILLION)


def check_instants(row, want, got):
    for i in range(max(len(want), len(got))):
        a, b = want[i:i + 1], got[i:i + 1]
        assert a == b, "%r, instant %d: expected %s, got %s" % (row, i, [show(t) for t in a], [show(t) for t in b])


# ---- The others

UTC_LINE = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)? UTC$")


def systemd_sections(text):
    """[(original text, [seconds])], in order."""
    sections, original = [], None
    for line in text.split("\n"):
        head, _, tail = line.partition(": ")
        head = head.strip()
        if head == "Original form":
            original = tail
        elif head == "Normalized form":
            sections.append((original if original is not None else tail, []))
            original = None
        elif (head in ("Next elapse", "(in UTC)") or head.startswith("Iter. #")) and tail != "never":
            m = UTC_LINE.search(tail)
            if m:
                sections[-1][1].append(int(datetime.datetime(*map(int, m.groups()), tzinfo=datetime.timezone.utc).timestamp()))
    return sections


def ask_systemd(zone, base, count, texts):
    """For each text its instants in seconds, or None when it is refused."""
    done = subprocess.run(["systemd-analyze", "calendar", "--iterations=%d" % count, "--base-time=@%d" % base, "--"] + texts,
                          capture_output=True, text=True, timeout=600, env=dict(os.environ, TZ=":" + zone, LC_ALL="C", SYSTEMD_COLORS="0"))
    sections, answers = systemd_sections(done.stdout), []
    for text in texts:
        if sections and sections[0][0].rstrip() == text.rstrip():  # it shows no blanks at the end
            answers.append(sections.pop(0)[1])
        else:
            answers.append(None)
    assert not sections, "systemd-analyze answered what was not asked: %r" % (sections[0],)
    return answers


def close_steps(text):
    """2/5 as 2..23/5, which means the same. Where a step has no end, systemd 252 steps beyond the last value; from hour 28 of
    December 31, say, it goes on to 4:00 of January 1, and misses what comes before."""
    def close_one(start, limit, step):
        if limit is not None:
            return "%s..%s/%s" % (start, limit, step)
        return "%d..%s/%s" % (int(start) - (int(start) - 1) // int(step) * int(step), start, step)  # towards the month's end

    def close(field, limit):
        return ",".join(close_one(start, limit, step) if step and ".." not in start else item
                        for item in field.split(",") for start, _, step in [item.partition("/")])
    words = text.split(" ")
    for i, word in enumerate(words):
        if ":" in word:
            words[i] = ":".join(close(field, limit) for field, limit in zip(word.split(":"), ["23", "59", "59.999999"]))
        elif re.match(r"[\d*]", word) and re.search("[-~]", word):
            parts = re.split("([-~])", word)
            parts[-1] = close(parts[-1], "31" if parts[-2] == "-" else None)
            parts[-3] = close(parts[-3], "12")
            words[i] = "".join(parts)
    return " ".join(words)


def refused_at_month_end(text):
    """Of a list of days before the month's end systemd 252 allows the first to be 28, the second 25, the third 22 …"""
    m = re.search(r"~([\d,./]*,[\d,./]*)", text)
    return m and max(map(int, re.findall(r"\d+", m.group(1)))) > 28 - 3 * m.group(1).count(",")


def settle(zone, base, disputed, tally):
    """Where systemd 252 says something else: it must say the same of the closed form, or else the model must."""
    again = ask_systemd(zone, base, 8, [close_steps(text) for text, _, _, _ in disputed]) if disputed else []
    for (text, e, their, our), closed in zip(disputed, again):
        where = "%r in %s after %d: systemd %s, ours %s" % (text, zone, base, their, [t // MILLION for t in our])
        if their is None:
            assert refused_at_month_end(text), where
            tally["month's end"] += 1
        elif closed is None:
            assert refused_at_month_end(close_steps(text)), where
            tally["both"] += 1
        else:
            assert closed == [t // MILLION for t in our] and close_steps(text) != text, where
            tally["open step"] += 1
        if e:
            end = our[-1] + 1 if our else day_number(2200) * DAY * MILLION
            check_instants((text, zone, base), model(e, zone, base * MILLION, end), our)


def compare_with_systemd(rng, make_texts, n):
    """`make_texts` gives (text, expression or None)."""
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is missing")
    tally = collections.Counter()
    for zone in FIXED:
        for _ in range(times(n)):
            base = rng.randrange(day_number(FIRST_YEAR), day_number(END_YEAR)) * DAY + rng.randrange(DAY)
            made = [make_texts(rng) for _ in range(200)]
            theirs = ask_systemd(zone, base, 8, [text for text, _ in made])
            ours = ask([("systemd", zone, base * MILLION, 8, text) for text, _ in made])
            disputed = []
            for (text, e), their, our in zip(made, theirs, ours):
                if isinstance(our, str):
                    assert their is None, "%r: systemd %s, ours %s" % (text, their, our)
                    tally["refused"] += 1
                elif their == [t // MILLION for t in our]:
                    tally["same"] += 1
                else:
                    disputed.append((text, e, their, our))
            settle(zone, base, disputed, tally)
    print("# %s" % ", ".join("%s: %d" % row for row in sorted(tally.items())))


# ---- Cases

_cases = []


def case(function):
    _cases.append(function)
    return function


@case
def systemd_gives_the_same_instants(rng):
    def make(rng):
        e = make_systemd(rng)
        return e.text, e
    compare_with_systemd(rng, make, 6)


@case
def systemd_refuses_the_same_texts(rng):
    compare_with_systemd(rng, lambda rng: (spoil(rng, make_systemd(rng).text), None), 8)


def croniter_errs(e):
    """It takes */2 for a restriction, and a list of all days for none; and gives up where one of two alternatives never comes."""
    fields = e.text.split()
    day, weekday = fields[2], fields[4]
    if day == "*" or weekday == "*":
        return False
    return day[0] == "*" or weekday[0] == "*" or len(e.days) == 31 or len(e.weekdays) == 7 or min(e.days) > 28


def croniter_instants(croniter, text, base):
    """None: it refuses the text. It gives up after 50 years, with an error."""
    found = []
    try:
        them = croniter.croniter(text, base)
        while len(found) < 5:
            found.append(int(them.get_next(float)) * MILLION)
    except croniter.CroniterBadDateError:
        pass
    except ValueError:
        return None
    return found


def find_croniter():
    """Debian's modules serve another Python as well: this one is Python throughout."""
    sys.path.append("/usr/lib/python3/dist-packages")
    try:
        import croniter
    except ImportError:
        raise Skip("python3-croniter is missing")
    finally:
        sys.path.pop()
    return croniter


@case
def croniter_gives_the_same_instants(rng):
    croniter = find_croniter()
    excluded = 0
    made = [e for e in (make_cron(rng) for _ in range(times(2000))) if not croniter_errs(e)]
    bases = [rng.randrange(day_number(FIRST_YEAR), day_number(END_YEAR)) * DAY + rng.randrange(DAY) for _ in made]
    answers = ask([("cron", "UTC", base * MILLION, 5, e.text) for e, base in zip(made, bases)])
    for e, base, our in zip(made, bases, answers):
        assert isinstance(our, list), "%r: %s" % (e.text, our)
        their = croniter_instants(croniter, e.text, base)
        if their != our and max(e.days) > 28:  # from February 31 it goes on to March 3, and misses the days before
            their = model(e, "UTC", base * MILLION, our[-1] + 1 if our else day_number(END_YEAR) * DAY * MILLION)
            excluded += 1
        check_instants(e.text, their, our)
    print("# %d compared, %d where croniter errs" % (len(made), excluded))


@case
def croniter_refuses_the_same_texts(rng):
    croniter = find_croniter()
    wrong = ["60", "5-2", "x", "1,,2", "1-", "-5", "*/0", "*/x", "1-2-3", "99", "1.5", "", "/5", "1//2"]
    texts = []
    for _ in range(times(500)):
        fields = make_cron(rng).text.split()
        fields[rng.randrange(5)] = rng.choice(wrong)
        texts.append(" ".join(fields))
    for text, our in zip(texts, ask([("cron", "UTC", 0, 1, text) for text in texts])):
        their = croniter_instants(croniter, text, 0)
        assert (their is None) == isinstance(our, str), "%r: croniter %s, ours %s" % (text, their, our)


@case
def zones_are_read_as_python_reads_them(rng):
    """Noon of every month's first day, in every zone, since 1970."""
    names = sorted(zoneinfo.available_timezones() - {"localtime"})
    answers = ask([("systemd", name, 0, 2000, "1970..2099-*-1 12:00") for name in names])
    for name, our in zip(names, answers):
        if isinstance(our, str):
            assert "leap seconds" in our and name.startswith("right/"), our
            continue
        zone = zoneinfo.ZoneInfo(name)
        want = [datetime.datetime(year, month, 1, 12, tzinfo=zone).astimezone(datetime.timezone.utc)
                for year in range(1970, 2100) for month in range(1, 13)]
        check_instants(name, [int(t.timestamp()) * MILLION for t in want if t.timestamp() > 0], our)
    print("# %d zones" % len(names))


@case
def the_model_gives_the_same_instants_of_calendars(rng):
    compare_with_model(rng, "systemd", make_systemd, 400, False)


@case
def the_model_gives_the_same_instants_of_calendars_when_clocks_change(rng):
    compare_with_model(rng, "systemd", make_systemd, 2000, True)


@case
def the_model_gives_the_same_instants_of_cron(rng):
    compare_with_model(rng, "cron", make_cron, 400, False)


@case
def the_model_gives_the_same_instants_of_cron_when_clocks_change(rng):
    compare_with_model(rng, "cron", make_cron, 2000, True)


def run():
    patterns = sys.argv[1:] or ["*"]
    chosen = [c for c in _cases if any(fnmatch.fnmatch(c.__name__, p) for p in patterns)]
    if not os.path.isfile(os.path.join(ZONES_FOLDER, "Europe/Berlin")):
        print("1..0 # SKIP tzdata is missing")
        return
    if not shutil.which(TOOL):
        print("1..0 # SKIP %s is missing" % TOOL)
        return
    zoneinfo.reset_tzpath([os.path.abspath(ZONES_FOLDER)])
    print("1..%d" % len(chosen), flush=True)
    failed = 0
    for n, function in enumerate(chosen, 1):
        try:
            function(random.Random("%d %s" % (SEED, function.__name__)))
            print("ok %d - %s" % (n, function.__name__), flush=True)
        except Skip as skip:
            print("ok %d - %s # SKIP %s" % (n, function.__name__, skip), flush=True)
        except Exception:
            failed += 1
            print("not ok %d - %s\n# IMAGEKEEPER_CALENDAR_SEED=%d" % (n, function.__name__, SEED))
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
    sys.exit(1 if failed or not chosen else 0)


run()
