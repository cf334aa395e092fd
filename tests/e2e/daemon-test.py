"""imagekeeperd: rounds, signals, what it tells systemd, what it says, and what it leaves alone."""
import os
import re
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *


@case
def is_ready_when_configuration_and_specs_are_read(w):
    w.image(1)
    w.spec(displayName="image 1")
    d = w.daemon()
    d.wait_message("^READY=1")
    d.wait_message("STATUS=1 of 1 objects in sync")
    assert d.stop() == 0
    assert any("STOPPING=1" in m for m in d.messages)
    assert any("specs loaded: 1 documents" in line for line in d.lines)


@case
def repairs_drift_and_says_what_it_did(w):
    w.image(1)
    w.spec(displayName="golden", freeformTags={"tier": "gold"})
    d = w.daemon()
    n = d.wait_line("updated " + image_id(1))
    assert 'displayName: "image 1" -> "golden", freeformTags.tier: absent -> "gold"' in d.lines[n - 1], d.lines
    w.sim.change(image_id(1), displayName="somebody else's")
    n = d.wait_line('"somebody else\'s" -> "golden"', n)
    eventually(lambda: w.live()["displayName"] == "golden")


@case
def looks_at_once_on_sigusr1_and_otherwise_waits_its_interval(w):
    w.configure(top="")
    text = open(w.config_file).read().replace("interval: 1s", "interval: 1d")
    w.write(w.config_file, text)
    w.image(1)
    w.spec(displayName="golden")
    d = w.daemon()
    n = d.wait_line("updated")
    d.wait_message("1 of 1 objects in sync|0 of 1 objects in sync")
    w.sim.change(image_id(1), displayName="drifted")
    d.signal(signal.SIGUSR1)
    d.wait_line('"drifted" -> "golden"', n)


@case
def reads_configuration_and_specs_anew_on_sighup(w):
    w.image(1)
    w.image(2)
    w.configure(top="mode: observe\n")
    w.spec("one", displayName="golden")
    d = w.daemon()
    d.wait_line("OciImage one \\(prod\\): .*differs")
    assert w.updates() == 0
    w.configure(top="mode: enforce\n")
    w.spec("two", target=image_id(2), displayName="also")
    before = len(d.messages)
    d.signal(signal.SIGHUP)
    n = d.wait_message("^RELOADING=1\nMONOTONIC_USEC=\\d+", before)
    d.wait_message("^READY=1", n)
    d.wait_line("updated " + image_id(1))
    d.wait_line("updated " + image_id(2))


@case
def a_broken_configuration_on_reload_leaves_the_old_one_in_force(w):
    w.image(1)
    w.spec(displayName="golden")
    d = w.daemon()
    n = d.wait_line("updated")
    good = open(w.config_file).read()
    w.write(w.config_file, good + "intervall: 5s\n")
    before = len(d.messages)
    d.signal(signal.SIGHUP)
    d.wait_message("^READY=1\nSTATUS=Reload refused", before)
    d.wait_line('unknown key "intervall"')
    d.wait_line("reload refused, the old configuration stays in force")
    w.sim.change(image_id(1), displayName="drifted")
    d.wait_line('"drifted" -> "golden"', n)


def reload(w, d):
    """As ExecReload= does it: the exit status, and what was said."""
    done = subprocess.run([os.environ["IMAGEKEEPERD"], "--reload", str(d.process.pid)], env=w.environment, stderr=subprocess.PIPE, text=True, timeout=90)
    return done.returncode, done.stderr


@case
def who_asks_for_a_reload_waits_for_its_end_and_is_told_of_a_refusal(w):
    w.environment["RUNTIME_DIRECTORY"] = os.path.join(w.folder, "run")
    os.mkdir(w.environment["RUNTIME_DIRECTORY"])
    w.write(os.path.join(w.folder, "run", "reload"), "1 7 7 left by another process\n")
    w.image(1)
    w.spec(displayName="golden")
    d = w.daemon()
    d.wait_line("updated")
    for n in range(1, 4):
        assert reload(w, d) == (0, "")
        d.wait_message("^READY=1\nSTATUS=Configuration reloaded")
        assert sum(m.startswith("RELOADING=1") for m in d.messages) == n
    good = open(w.config_file).read()
    w.write(w.config_file, good + "intervall: 5s\n")
    status, said = reload(w, d)
    assert status == 1 and w.config_file in said, (status, said)
    w.write(w.config_file, good)
    assert reload(w, d) == (0, "")


@case
def a_reload_with_broken_specs_takes_neither_them_nor_the_configuration(w):
    w.environment["RUNTIME_DIRECTORY"] = w.folder
    w.image(1)
    w.spec(displayName="golden")
    d = w.daemon()
    n = d.wait_line("updated")
    w.write(w.config_file, open(w.config_file).read().replace("specs: specs", "specs: other"))
    w.write(os.path.join(w.folder, "other", "broken.yaml"), "apiVersion: imagekeeper/v1\nkind: OciImag\n")
    status, said = reload(w, d)
    assert status == 1 and said, (status, said)
    d.wait_line('broken.yaml:2:7: error: unknown kind "OciImag"')
    d.wait_line("reload refused, the old configuration stays in force")
    w.sim.change(image_id(1), displayName="drifted")
    d.wait_line('"drifted" -> "golden"', n)
    os.rename(os.path.join(w.specs, "golden.yaml"), os.path.join(w.folder, "other", "broken.yaml"))
    assert reload(w, d) == (0, "")
    d.wait_message("of 1 objects in sync", len(d.messages))
    w.sim.change(image_id(1), displayName="drifted")
    d.wait_line('"drifted" -> "golden"', d.wait_line("configuration reloaded"))


@case
def who_asks_a_daemon_that_ends_or_is_not_there_is_told_so(w):
    w.environment["RUNTIME_DIRECTORY"] = w.folder
    w.image(1)
    w.spec(displayName="golden")
    d = w.daemon()
    d.wait_line("updated")
    d.signal(signal.SIGSTOP)
    asking = subprocess.Popen([os.environ["IMAGEKEEPERD"], "--reload", str(d.process.pid)], env=w.environment, stderr=subprocess.PIPE, text=True)
    eventually(lambda: "SigQ" in open("/proc/%d/status" % asking.pid).read() and
               int(re.search("ShdPnd:\t(.*)", open("/proc/%d/status" % d.process.pid).read())[1], 16) & 1, "the signal")
    d.process.kill()
    d.wait()
    assert "the daemon ended before it had reloaded" in asking.communicate(timeout=60)[1] and asking.returncode == 1
    status, said = reload(w, d)
    assert status == 1 and "cannot be told to reload: No such process" in said, said


@case
def broken_specs_leave_the_last_good_set_in_force_and_are_said_once(w):
    w.image(1)
    w.spec(displayName="golden")
    d = w.daemon()
    n = d.wait_line("updated")
    w.write("broken.yaml", "apiVersion: imagekeeper/v1\nkind: OciImag\n")
    d.wait_line('broken.yaml:2:7: error: unknown kind "OciImag"; did you mean "OciImage"')
    d.wait_line("specs rejected: .*the last good set stays in force")
    d.wait_message("the last good specs are in force")
    w.sim.change(image_id(1), displayName="drifted")
    n = d.wait_line('"drifted" -> "golden"', n)
    assert sum("specs rejected" in line for line in d.lines) == 1
    os.unlink(os.path.join(w.specs, "broken.yaml"))
    d.wait_line("specs loaded: 1 documents", n)


@case
def starts_on_broken_specs_and_enforces_nothing_until_they_are_mended(w):
    w.image(1)
    w.spec(displayName="golden")
    w.write("broken.yaml", "kind: [")
    d = w.daemon()
    d.wait_message("^READY=1\nSTATUS=Nothing is enforced")
    d.wait_line("specs rejected: .*nothing is enforced until they are mended")
    assert w.sim.statistics()["requests"] == 0
    os.unlink(os.path.join(w.specs, "broken.yaml"))
    d.wait_line("updated " + image_id(1))


@case
def a_broken_configuration_ends_it_with_1(w):
    w.write(w.config_file, "accounts: 3\n")
    d = w.daemon()
    assert d.wait() == 1
    assert any("accounts must be a list" in line for line in d.lines)
    os.unlink(w.config_file)
    d = w.daemon()
    assert d.wait() == 1 and not d.messages
    assert any("does not exist" in line for line in d.lines)


@case
def a_lasting_failure_is_said_once_and_so_is_its_end(w):
    w.image(1)
    w.spec("there", displayName="golden")
    w.spec("gone", target=image_id(2), displayName="x")
    d = w.daemon()
    n = d.wait_line("OciImage gone .*404 NotAuthorizedOrNotFound.*declared at gone.yaml:1")
    reads = lambda: sum(r["target"] == image_id(2) for r in w.sim.requests("GetImage"))
    eventually(lambda: reads() >= 4, "four rounds")
    assert sum("OciImage gone" in line for line in d.lines) == 1, d.lines
    w.image(2, displayName="x")
    d.wait_line("OciImage gone \\(prod\\): well again", n)


@case
def an_outage_of_many_objects_is_one_line(w):
    for n in range(1, 31):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="image %d" % n)
    w.sim.fault("*", "status", status=401, code="NotAuthenticated", message="no", times=-1)
    d = w.daemon()
    d.wait_line("account prod: 30 documents \\(i1, i10, i11, …\\): NotAuthenticated: no")
    w.sim.clear_faults()
    d.wait_line("account prod: well again")
    d.wait_message("30 of 30 objects in sync")
    assert sum("error" in line for line in d.lines) == 1, d.lines


@case
def a_server_that_never_converges_is_left_alone_with_growing_pauses(w):
    w.image(1)
    w.spec(displayName="golden")
    w.sim.fault("UpdateImage", "echo-other", set={"displayName": "Golden"}, persist=True, times=-1)
    d = w.daemon()
    d.wait_line('NotConverging: not converging: displayName: asked for "golden", the answer has "Golden"')
    d.wait_line("held: .*next try at")
    eventually(lambda: len(w.sim.requests("UpdateImage")) >= 4, "the fourth try")
    # Pauses of 1, 2 and 4 intervals, and each round looks: so many looks stand between one try and the next.
    looks, gaps = 0, []
    for request in w.sim.requests():
        looks += request["operation"] == "GetImage"
        if request["operation"] == "UpdateImage":
            gaps.append(looks)
            looks = 0
    assert gaps[3] > gaps[1] and gaps[3] >= 3, gaps


@case
def a_change_that_is_undone_again_and_again_is_left_alone(w):
    w.image(1)
    w.spec(displayName="golden")
    w.sim.fault("UpdateImage", "change-after", change={"displayName": "theirs"}, times=-1)
    d = w.daemon()
    d.wait_line("held: not converging: the same change was made several times")
    puts = len(w.sim.requests("UpdateImage"))
    assert puts == 3, puts


@case
def a_selector_that_suddenly_matches_far_more_is_held_until_the_specs_change(w):
    w.image(1, displayName="golden 1")
    w.spec("many", selector={"displayName": "golden *"}, freeformTags={"tier": "gold"})
    d = w.daemon()
    d.wait_line("updated")
    w.sim.generate(20, prefix="many", image={"displayName": "golden x"})
    d.wait_line("20 changes held: the selector matches 21 objects, 1 in the round before")
    assert w.sim.statistics()["applied"] == 1
    w.spec("many", selector={"displayName": "golden *"}, freeformTags={"tier": "gold", "meant": "yes"})
    eventually(lambda: w.sim.statistics()["applied"] == 22, "21 more updates")


@case
def sigterm_finishes_the_write_that_is_on_its_way_and_begins_none(w):
    for n in range(1, 9):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="golden %d" % n)
    w.configure(account="    maxConcurrency: 1\n")
    w.sim.fault("UpdateImage", "delay", ms=1500)
    d = w.daemon()
    arrived = lambda: [f for f in w.sim.faults() if f.get("fired")]
    eventually(arrived, "the write to arrive")
    d.signal(signal.SIGTERM)
    assert d.wait() == 0
    assert w.sim.statistics()["applied"] == 1, w.sim.statistics()
    assert any("STOPPING=1" in m for m in d.messages)
    assert sum("updated" in line for line in d.lines) == 1, d.lines


@case
def sigterm_gives_up_a_look_at_once(w):
    w.image(1)
    w.spec(displayName="golden")
    w.sim.fault("*", "hang", times=-1)
    d = w.daemon()
    eventually(lambda: [f for f in w.sim.faults() if f.get("fired")], "the look")
    d.signal(signal.SIGTERM)
    assert d.wait() == 0 and w.updates() == 0


@case
def killed_in_the_middle_of_a_write_it_goes_on_where_the_cloud_is(w):
    w.image(1)
    w.spec(displayName="golden")
    w.sim.fault("UpdateImage", "process-then-close", ms=300)
    d = w.daemon()
    eventually(lambda: [f for f in w.sim.faults() if f.get("fired")], "the write")
    d.signal(signal.SIGKILL)
    d.wait()
    d = w.daemon()
    d.wait_message("STATUS=1 of 1 objects in sync")
    assert w.updates() == 1


@case
def two_of_them_do_nothing_twice(w):
    for n in range(1, 11):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="golden %d" % n)
    a, b = w.daemon(), w.daemon()
    a.wait_message("STATUS=10 of 10 objects in sync")
    b.wait_message("STATUS=10 of 10 objects in sync")
    assert w.sim.statistics()["applied"] == 10, w.sim.statistics()


@case
def a_key_file_that_appears_later_is_taken_up(w):
    w.image(1)
    w.spec(displayName="golden")
    key = os.path.join(w.folder, "oci", "config.key.pem")
    os.rename(key, key + ".away")
    d = w.daemon()
    d.wait_line("account \"prod\".*config.key.pem.*does not exist")
    os.rename(key + ".away", key)
    d.wait_line("updated " + image_id(1))


def second_account(w, endpoint, ca_file, oci_config=None):
    text = open(w.config_file).read()
    w.write(w.config_file, text + "  - {name: other, type: oci, configFile: %s, endpoint: \"%s\", caFile: %s}\n"
            % (oci_config or w.oci_config, endpoint, ca_file))


@case
def a_cloud_that_hangs_does_not_slow_down_another(w):
    with simulator.Simulator(stderr=subprocess.DEVNULL) as slow:
        slow.fault("*", "hang", times=-1)
        second_account(w, slow.endpoint, slow.ca_file)
        w.image(1)
        w.spec("good", displayName="golden")
        w.spec("slow", target=image_id(9), account="other", displayName="x")
        d = w.daemon()
        n = 0
        for drift in ("first", "second", "third"):
            n = d.wait_line('-> "golden"', n)
            # A round of the slow one takes three tries; none has ended yet.
            assert len(slow.requests()) < 3, "it waited for the slow one"
            w.sim.change(image_id(1), displayName=drift)
        d.wait_line('"third" -> "golden"', n)
        assert d.stop() == 0


@case
def two_accounts_at_one_endpoint_do_not_fight_over_an_image(w):
    second_account(w, w.sim.endpoint, w.sim.ca_file)
    w.image(1)
    w.spec("mine", selector={"displayName": "image *"}, freeformTags={"tier": "a"})
    w.spec("theirs", selector={"displayName": "image *"}, freeformTags={"tier": "b"}, account="other")
    report = w.apply().expect(1).json
    assert {e["name"] for e in report["errors"]} == {"mine", "theirs"} and w.updates() == 0
    d = w.daemon()
    d.wait_line("OciImage mine .*claims freeformTags.tier of .*and so does OciImage \"theirs\"")
    d.wait_line("OciImage theirs .*and so does OciImage \"mine\"")
    assert w.updates() == 0


@case
def an_account_that_can_be_opened_later_does_not_fight_with_another_at_its_endpoint(w):
    late = w.folder + "/late-config"
    second_account(w, w.sim.endpoint, w.sim.ca_file, late)
    w.image(1)
    w.spec("mine", selector={"displayName": "image *"}, freeformTags={"tier": "a"})
    w.spec("theirs", selector={"displayName": "image *"}, freeformTags={"tier": "b"}, account="other")
    d = w.daemon()
    d.wait_line('tier: .* -> "a"')
    os.link(w.oci_config, late)
    d.wait_line("OciImage mine .*claims freeformTags.tier of .*and so does OciImage \"theirs\"")
    assert w.updates() == 1 and not any('-> "b"' in line for line in d.lines)


@case
def what_fails_at_every_try_is_said_once_though_it_rests_in_between(w):
    w.image(1)
    w.spec(displayName="golden")
    w.sim.fault("UpdateImage", "status", status=403, code="NotAuthorized", message="no", times=-1)
    d = w.daemon()
    eventually(lambda: len(w.sim.requests("UpdateImage")) >= 3, "the third try")
    assert sum("NotAuthorized" in line and "error: " in line for line in d.lines) == 1, d.lines
    assert not any("well again" in line for line in d.lines), d.lines
    w.sim.clear_faults()
    w.write(w.config_file, open(w.config_file).read() + "\n")
    d.signal(signal.SIGHUP)
    d.wait_line("updated " + image_id(1))
    d.wait_line("OciImage golden \\(prod\\): well again")


@case
def what_failed_and_is_suspended_is_not_told_to_be_well(w):
    w.image(1)
    w.spec(displayName="golden")
    w.sim.fault("UpdateImage", "status", status=403, code="NotAuthorized", message="no", times=-1)
    d = w.daemon()
    d.wait_line("OciImage golden .*NotAuthorized")
    w.spec(displayName="golden", reconcile="{suspend: {until: 2099-01-01T00:00:00Z, reason: r}}")
    d.wait_line("OciImage golden \\(prod\\): suspended, and not tried any more")
    assert not any("well again" in line for line in d.lines), d.lines


@case
def what_many_fail_of_at_every_try_is_said_once_though_they_rest_in_between(w):
    for n in range(1, 9):
        w.image(n)
        w.spec("i%d" % n, target=image_id(n), displayName="golden %d" % n)
    w.sim.fault("UpdateImage", "status", status=403, code="NotAuthorized", message="no", times=-1)
    d = w.daemon()
    eventually(lambda: len(w.sim.requests("UpdateImage")) >= 3 * 8, "the third tries")
    assert sum("account prod: 8 documents" in line for line in d.lines) == 1, d.lines
    assert sum("changes held" in line for line in d.lines) == 1, d.lines
    assert not any("well again" in line for line in d.lines), d.lines
    w.sim.clear_faults()
    d.signal(signal.SIGHUP)
    d.wait_line("account prod: well again")


@case
def a_reload_tries_at_once_what_rests(w):
    text = open(w.config_file).read().replace("interval: 1s", "interval: 1d")
    w.write(w.config_file, text)
    w.image(1)
    w.spec(displayName="golden")
    w.sim.fault("UpdateImage", "status", status=403, code="NotAuthorized", message="no")
    d = w.daemon()
    n = d.wait_line("NotAuthorized")
    d.signal(signal.SIGUSR1)
    n = d.wait_line("held: .*next try at", n)
    d.signal(signal.SIGHUP)
    d.wait_line("updated " + image_id(1), n)


@case
def a_credential_that_was_refused_is_read_anew(w):
    good = open(w.oci_config).read()
    w.write(w.oci_config, good.replace("exampleuser", "formeruser"))
    os.chmod(w.oci_config, 0o600)
    w.image(1)
    w.spec(displayName="golden")
    d = w.daemon()
    d.wait_line("401 NotAuthenticated")
    w.write(w.oci_config, good)
    os.chmod(w.oci_config, 0o600)
    d.wait_line("updated " + image_id(1))


@case
def what_is_held_for_one_reason_does_not_hide_another(w):
    for n in range(1, 5):
        w.image(n, lifecycleState="EXPORTING")
        w.spec("e%d" % n, target=image_id(n), displayName="x")
    w.configure(top="limits: {maxChanges: 4}\n")
    d = w.daemon()
    d.wait_line("4 changes held: the image is EXPORTING")
    for n in range(5, 11):
        w.image(n)
        w.spec("m%d" % n, target=image_id(n), displayName="x")
    d.wait_line("changes held: .*limits.maxChanges")
    assert w.updates(5) == 0


@case
def a_flipped_link_never_gives_half_of_two_trees(w):
    """The link leads to one tree or the other, and every load is of one of them."""
    w.image(1)
    for tree in ("a", "b"):
        for n in range(60):
            w.write(os.path.join(w.folder, tree, "f%02d.yaml" % n), "apiVersion: imagekeeper/v1\nkind: OciImage\n"
                    "metadata: {name: %s%02d}\nspec: {account: prod, imageId: %s%02d, displayName: x}\n" % (tree, n, image_id(1), n))
    link = os.path.join(w.folder, "current")
    os.symlink("a", link)
    stop = threading.Event()

    def flip():
        while not stop.is_set():
            for tree in ("b", "a"):
                os.symlink(tree, link + ".new")
                os.rename(link + ".new", link)
    flipper = threading.Thread(target=flip)
    flipper.start()
    try:
        for _ in range(30):
            plan = w.run("plan", "-o", "json", "--specs", link)
            assert len({e["name"][0] for e in plan.json["errors"]}) == 1, "half of two trees"
    finally:
        stop.set()
        flipper.join()


@case
def secrets_are_never_said(w):
    phrase = "correct-horse-battery"
    w.image(1)
    w.spec(displayName="golden")
    config = open(w.oci_config).read()
    w.write(w.oci_config, config + "pass_phrase=%s\n" % phrase)
    os.chmod(w.oci_config, 0o600)
    w.sim.fault("UpdateImage", "status", status=400, code="InvalidParameter", message="bad")
    d = w.daemon()
    d.wait_line("InvalidParameter")
    assert not any(phrase in line or "PRIVATE KEY" in line or "Signature version" in line for line in d.lines)
    with open("/proc/%d/cmdline" % d.process.pid) as f:
        assert phrase not in f.read()


run()
