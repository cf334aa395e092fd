"""The units as `make install` puts them there: systemd has nothing to say against them, and little against their sandbox."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from installed import find, install, unit_folder
from case import skip

MOST_EXPOSED = 1.3
SERVICES = ["imagekeeperd.service", "imagekeeperd@.service", "imagekeeper-sync.service", "imagekeeper-sync@.service"]
TIMERS = ["imagekeeper-sync.timer", "imagekeeper-sync@.timer"]


def analyze(*words):
    done = subprocess.run(["systemd-analyze"] + list(words), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, SYSTEMD_PAGER="cat", NO_COLOR="1", LC_ALL="C.UTF-8"))
    return done.returncode, done.stdout


def without_remarks(path):
    with open(path, encoding="utf-8") as f:
        return [line for line in f.read().splitlines() if line and not line.startswith("#")]


def is_verified(root, folder, unit):
    """`unit` beside those of the system, with the programs where it says that they are."""
    name = unit.replace("@.", "@example.")
    status, said = analyze("verify", "--root=" + root, "--man=no", name)
    assert (status, said) == (0, ""), "systemd-analyze verify %s: %d\n%s" % (name, status, said)


def is_little_exposed(root, folder, unit):
    if "--offline" not in analyze("--help")[1]:
        return "this systemd-analyze knows no --offline"
    status, said = analyze("security", "--offline=true", "--no-pager", os.path.join(folder, unit))
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert status == 0 and level and float(level[1]) <= MOST_EXPOSED, said
    print("# %s: %s" % (unit, level[1]))
    return None


def has_nothing_left_to_fill_in(root, folder, unit):
    with open(os.path.join(folder, unit), encoding="utf-8") as f:
        left = re.findall("@[A-Za-z]+@", f.read())
    assert not left, left


def explains_what_is_left_out(root, folder, unit):
    """Whatever systemd-analyze marks is named in a remark, so that each mark was thought of."""
    if "--offline" not in analyze("--help")[1]:
        return "this systemd-analyze knows no --offline"
    with open(os.path.join(folder, unit), encoding="utf-8") as f:
        remarks = "\n".join(line for line in f if line.startswith("#"))
    marked = re.findall(r"^✗ (\w+)=", analyze("security", "--offline=true", "--no-pager", os.path.join(folder, unit))[1], re.M)
    assert marked and all(name + "=" in remarks for name in marked), marked
    return None


def has_the_user_that_it_names(root, folder, unit):
    """Made by systemd-sysusers from what is installed; none is needed for a user that exists only while its unit runs."""
    wanted = {line.split("=")[1] for line in without_remarks(os.path.join(folder, unit)) if line.startswith("User=")}
    os.makedirs(root + "/etc", exist_ok=True)
    done = subprocess.run(["systemd-sysusers", "--root=" + root, find(root, "imagekeeper-sync.conf")], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    with open(root + "/etc/passwd", encoding="utf-8") as f:
        made = {line.split(":")[0] for line in f}
    assert done.returncode == 0 and wanted <= made, (wanted, made, done.stdout)
    assert wanted == ({"imagekeeper-sync"} if "sync" in unit else set()), wanted


def main():
    for program in ("systemd-analyze", "systemd-sysusers", "make"):
        if not shutil.which(program):
            skip("there is no " + program)
    checks = [(c, s) for s in SERVICES for c in (has_nothing_left_to_fill_in, is_verified, is_little_exposed, explains_what_is_left_out,
                                                 has_the_user_that_it_names)]
    checks += [(c, t) for t in TIMERS for c in (has_nothing_left_to_fill_in, is_verified)]
    print("1..%d" % len(checks), flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="ik-units-") as root:
        install(root)
        folder = unit_folder(root)
        system = "/usr/lib/systemd/system" if os.path.isdir("/usr/lib/systemd/system") else "/lib/systemd/system"
        shutil.copytree(system, root + "/usr/lib/systemd/system", symlinks=True, dirs_exist_ok=True)
        for n, (check, unit) in enumerate(checks, 1):
            what = "%s: %s" % (unit, check.__name__)
            try:
                reason = check(root, folder, unit)
                print("ok %d - %s%s" % (n, what, " # SKIP " + reason if reason else ""), flush=True)
            except AssertionError as e:
                failed += 1
                print("not ok %d - %s" % (n, what))
                for line in str(e).splitlines():
                    print("# " + line, flush=True)
    sys.exit(1 if failed else 0)


main()
