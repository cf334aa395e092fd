"""imagekeeper-sync.service and .timer in a systemd that was really booted: from a push down to the changed image."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *
from machine import Machine, add_probes, prepare, probe
from repository import Server, Upstream, have
from sshd import make_key, sshd, why_not

DAEMON = "[Service]\nLoadCredential=oci-key:/etc/imagekeeper/oci-key.pem\n"
SYNC = "[Service]\n" + "".join("LoadCredential=%s:/etc/imagekeeper/%s\n" % (name, name) for name in ("git-token", "ssh-key", "known-hosts"))
TIMER = "[Timer]\nOnUnitInactiveSec=\nOnActiveSec=0\nOnUnitInactiveSec=100ms\nRandomizedDelaySec=0\nAccuracySec=1ms\n"
TOKEN = "token-0a1b2c3d4e5f"
STATE = "/var/lib/imagekeeper-sync"
MIB = 1024 * 1024


class Synced(Machine):
    """`up` is the repository that is fetched, with one spec of one image; the daemon goes by what was fetched."""

    def prepare(self):
        Machine.prepare(self)
        self.lab = os.path.join(os.path.dirname(self.folder), "lab")
        os.mkdir(self.lab)
        self.up = Upstream(self.lab + "/up")
        os.unlink(self.up.path + "/a.yaml")
        self.up.git("config", "http.receivepack", "true")
        self.up.git("config", "receive.denyCurrentBranch", "ignore")
        self.first = self.commit("golden", "--amend")
        for name in ("git-token", "ssh-key", "known-hosts"):
            simulator.write_private("%s/%s" % (self.folder, name), TOKEN + "\n")
        self.settings = ""

    def write_config(self, accounts, top=""):
        """Rounds are so rare that only the watch can tell the daemon of new specs, unless `top` says otherwise."""
        self.write(self.config_file, "specs: %s/current\n%s%saccounts:\n%s" % (STATE, "" if "interval:" in top else "interval: 1h\n", top, accounts))

    def fetch_from(self, repository, top="", **settings):
        lines = ["  %s: %s\n" % (key, value) for key, value in dict(repository=repository, **settings).items()]
        self.configure(top=top + "sync:\n" + "".join(lines))

    def declare(self, name, folder=None):
        """The image's name, in a work tree."""
        self.spec(file=(folder or self.up.path) + "/golden.yaml", displayName=name)

    def commit(self, name, *words):
        """Somebody's commit, straight in the repository."""
        self.declare(name)
        return self.up.commit(*words)

    def begin(self, *units):
        """What the README says after the installation."""
        self.image(1)
        self.machine.run("systemd-sysusers").expect()
        self.machine.run("systemctl", "enable", "--now", "imagekeeperd", *units).expect()

    def fetch(self):
        done = self.machine.run("systemctl", "start", "imagekeeper-sync")
        assert done.status == 0, done.out + self.machine.run("journalctl", "--no-pager", "-u", "imagekeeper-sync").out

    def stop_timer(self):
        """No run is under way afterwards: one that is would be taken for what `systemctl start` asks for."""
        self.machine.run("systemctl", "stop", "imagekeeper-sync.timer").expect()
        eventually(lambda: self.machine.show("imagekeeper-sync", "ActiveState") in ("inactive", "failed"), "the end of the last run")

    def is_live(self, name):
        eventually(lambda: self.live()["displayName"] == name, "the name " + name)

    def holds(self, name):
        """The set that has been in force is still: it repairs what somebody changes."""
        self.sim.change(image_id(1), displayName="drifted")
        self.is_live(name)

    def fails_again(self, commit):
        """In vain as before, of which the journal need not tell: the unit has failed, and `commit` is current."""
        assert self.machine.run("systemctl", "start", "imagekeeper-sync").status != 0
        assert self.machine.show("imagekeeper-sync", "ActiveState", "Result") == {"ActiveState": "failed", "Result": "exit-code"}
        self.is_current(commit)

    def fails(self, event, commit, *words):
        """A run in vain: the unit has failed, the journal has the reason as an error, and `commit` is current."""
        before = len(self.events(event))
        self.fails_again(commit)
        eventually(lambda: len(self.events(event)) > before, event)
        entry = self.events(event)[-1]
        assert entry["PRIORITY"] == "3" and entry["_SYSTEMD_UNIT"] == "imagekeeper-sync.service", entry
        for word in words:
            assert word in entry["MESSAGE"], "%s is not in: %s" % (word, entry["MESSAGE"])
        return entry

    def is_current(self, commit):
        assert self.machine.run("readlink", STATE + "/current").out == "exports/%s\n" % commit

    def size(self):
        """MiB in the state directory."""
        return int(self.machine.run("du", "-sm", STATE).expect().out.split()[0])

    def server(self, **how):
        return Server(Folder(self.lab), **how)

    def sign(self, form, key):
        self.up.git("config", "gpg.format", form)
        self.up.git("config", "user.signingkey", key)


class Folder:
    """All that a server wants of a world."""

    def __init__(self, folder):
        self.folder = folder


@case
def a_push_becomes_a_changed_image_by_the_timer_and_at_once(w):
    m = w.machine
    with w.server(token=TOKEN, tls=True) as server:
        shutil.copy(server.ca_file, w.folder + "/git-ca.pem")
        w.fetch_from(server.address, tokenFile="git-token", caFile="/etc/imagekeeper/git-ca.pem")
        w.begin("imagekeeper-sync.timer")
        w.is_live("golden")
        dev = w.lab + "/dev"
        w.up.git("clone", "--quiet", w.up.path, dev)
        for name in ("by the timer", "at once"):
            w.declare(name, dev)
            w.up.git("-C", dev, "commit", "--quiet", "--all", "--message=" + name)
            w.up.git("-C", dev, "-c", "http.sslCAInfo=" + server.ca_file, "push", "--quiet", server.address.replace("://", "://git:%s@" % TOKEN), "main")
            if name == "at once":
                w.fetch()
            w.is_live(name)
            w.stop_timer()
        head = w.up.head()
        assert "/up/git-receive-pack" in server.requests
    eventually(lambda: len(w.events("updated")) == 3, "the entries")
    assert [e["IMAGEKEEPER_REVISION"] for e in w.events("updated")][-1] == head
    eventually(lambda: json.loads(m.run("imagekeeper", "status", "-o", "json").out)["revision"] == head, "the status")
    os.rename(w.folder + "/oci-key.pem", w.folder + "/oci-key")
    plan = m.run("env", "CREDENTIALS_DIRECTORY=/etc/imagekeeper", "imagekeeper", "plan", "-o", "json").json
    assert plan["revision"] == head and plan["summary"]["inSync"] == 1, plan
    # The journal has what was fetched, and nothing about the many runs without news.
    entries = m.journal("-u", "imagekeeper-sync.service")
    assert [e.get("IMAGEKEEPER_EVENT") for e in entries] == ["specs-fetched"] * 3, entries
    assert entries[-1]["IMAGEKEEPER_REVISION"] == head and entries[-1]["PRIORITY"] == "5", entries[-1]
    m.run("journalctl", "--update-catalog").expect()
    assert "Subject: New specs have been fetched" in m.run("journalctl", "-x", "-u", "imagekeeper-sync", "--no-pager").out
    assert TOKEN not in m.run("journalctl", "-o", "export", "--no-pager").out


def lines_of_the_readme(section):
    """Those of its code, one text for each block."""
    with open(os.path.join(os.environ["srcdir"], "README.md"), encoding="utf-8") as f:
        text = f.read().split("\n### %s\n" % section)[1].split("\n##")[0]
    return [re.sub("^    ", "", block, flags=re.M) for block in re.findall("(?:^    .*\n)+", text, re.M)]


@case
def the_lines_of_the_readme_lead_from_an_empty_repository_to_a_repaired_image(w):
    m, golden = w.machine, "ocid1.image.oc1.phx.aaaaaaaaol9golden"
    w.image(id=golden, displayName="ol9")
    m.run("sh", "-c", "rm -r /etc/systemd/system/imagekeeper*.d && systemctl daemon-reload").expect()  # the units as they are installed
    os.makedirs(w.lab + "/empty/up")
    w.up.git("init", "--quiet", "--bare", "--initial-branch=main", w.lab + "/empty/up/.git")
    w.up.git("-C", w.lab + "/empty/up/.git", "config", "http.receivepack", "true")
    for name, source in (("oci-key.pem", "oci-key.pem"), ("token", "git-token")):
        m.run("cp", "/etc/imagekeeper/" + source, "/root/" + name).expect()
    with Server(Folder(w.lab + "/empty")) as server:
        def follow(block, folder):
            """As somebody would, who has this server, this tenancy and no sudo. A plan that shows a difference ends with 2."""
            for pattern, instead in (("https://git.example/platform/images.git", server.address), ("tenancy: .*", "tenancy: " + simulator.TENANCY),
                                     ("user: .*", "user: " + simulator.USER), ("fingerprint: .*", "fingerprint: " + simulator.FINGERPRINT),
                                     ("region: .*", "region: us-phoenix-1\n    endpoint: %s\n    caFile: /etc/imagekeeper/ca.pem" % w.sim.endpoint),
                                     ("clone .*", "clone --quiet %s images" % server.address), ("imagekeeper plan", "imagekeeper plan || test $? = 2")):
                block = re.sub(pattern, instead, block)
            user = "HOME=/root GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com"
            return m.run("sh", "-ec", 'sudo() { env "$@"; }\nexport %s\ncd %s\n%s' % (user, folder, block))

        write, install, look, keep, tell, change = lines_of_the_readme("From an empty repository to a repaired image")
        follow(write, "/root").expect()
        follow(install, "/root").expect()
        said = follow(look, "/root").expect().out
        assert '~ displayName  "ol9" -> "Oracle Linux 9 golden"' in said, said
        follow(keep, "/root").expect()
        units = "imagekeeper-sync.timer", "imagekeeperd.service"
        assert m.run("systemctl", "is-enabled", *units).out == m.run("systemctl", "is-active", *units).out.replace("active", "enabled") == "enabled\nenabled\n"
        eventually(lambda: w.live(golden)["displayName"] == "Oracle Linux 9 golden", "what is declared")
        w.sim.change(golden, displayName="renamed")
        m.run("systemctl", "kill", "--kill-whom=main", "--signal=USR1", "imagekeeperd").expect()
        eventually(lambda: w.live(golden)["displayName"] == "Oracle Linux 9 golden", "the repair")
        told = lambda done: done.status == 0 and "Subject: An object was changed" in done.out and '"renamed" -> "Oracle Linux 9 golden"' in done.out
        eventually(lambda: told(follow(tell, "/root")), "what was done, and that all is in sync")
        follow(change, "/root/images").expect()
        # If it came while the timer's first run was under way, it is fetched by the second one.
        eventually(lambda: w.live(golden)["displayName"] == "Oracle Linux 9, golden", "what was pushed", 300)
        for line in lines_of_the_readme("Watch it")[0].splitlines():
            eventually(lambda line=line: follow(line.replace(" -f ", " "), "/root").status == 0, line)


@case
def by_ssh_and_signed_with_ssh_keys(w):
    if why_not():
        raise Skipped(why_not())
    with sshd(w.lab) as port:
        for name, credential in (("key", "ssh-key"), ("known", "known-hosts")):
            with open(w.lab + "/" + name) as f:
                simulator.write_private("%s/%s" % (w.folder, credential), f.read())
        for name in ("good", "wrong"):
            make_key(w.lab, name)
        with open(w.lab + "/good.pub") as f:
            w.write(w.folder + "/allowed_signers", "a@example.com namespaces=\"git\" " + f.read())
        os.chmod(w.folder + "/allowed_signers", 0o644)
        w.fetch_from("ssh://root@127.0.0.1:%d%s" % (port, w.up.path), "interval: 1s\n", sshKeyFile="ssh-key", knownHostsFile="known-hosts", verify="ssh",
                     allowedSigners="/etc/imagekeeper/allowed_signers")
        w.sign("ssh", w.lab + "/good")
        first = w.commit("signed", "--gpg-sign")
        w.begin()
        w.fetch()
        w.is_live("signed")
        unsigned = w.commit("unsigned")
        entry = w.fails("sync-refused", first, "is not signed")
        assert entry["IMAGEKEEPER_REVISION"] == unsigned, entry
        w.holds("signed")
        w.sign("ssh", w.lab + "/wrong")
        w.commit("by somebody else", "--gpg-sign")
        w.fails("sync-refused", first, "sync.allowedSigners")
        w.holds("signed")
        w.sign("ssh", w.lab + "/good")
        w.commit("signed again", "--gpg-sign")
        w.fetch()
        w.is_live("signed again")


@case
def signed_with_gpg(w):
    if not have("gpg"):
        raise Skipped("gpg is not installed")
    home = w.lab + "/gnupg"
    os.mkdir(home, 0o700)
    words = ["gpg", "--homedir", home, "--batch", "--quiet"]
    subprocess.run(words + ["--passphrase", "", "--quick-generate-key", "a@example.com", "ed25519", "sign", "never"], check=True, stderr=subprocess.DEVNULL)
    try:
        w.write(w.folder + "/keys.asc", subprocess.run(words + ["--armor", "--export"], check=True, stdout=subprocess.PIPE, text=True).stdout)
        os.chmod(w.folder + "/keys.asc", 0o644)
        with w.server() as server:
            w.fetch_from(server.address, "interval: 1s\n", verify="gpg", publicKeys="/etc/imagekeeper/keys.asc")
            w.sign("openpgp", "a@example.com")
            w.declare("signed")
            w.up.git("add", "--all")
            w.up.git("commit", "--quiet", "--gpg-sign", "--message=signed", GNUPGHOME=home)
            signed = w.up.head()
            w.begin()
            w.fetch()
            w.is_live("signed")
            w.commit("unsigned")
            w.fails("sync-refused", signed, "is not signed")
            w.holds("signed")
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"])


@case
def a_forced_push_is_refused_until_it_is_allowed(w):
    with w.server() as server:
        w.fetch_from(server.address, "interval: 1s\n")
        second = w.commit("second")
        w.begin()
        w.fetch()
        w.is_live("second")
        w.up.git("reset", "--quiet", "--hard", w.first)
        other = w.commit("another story")
        w.fails("sync-refused", second, other, second, "allowRewind")
        w.holds("second")
        w.fetch_from(server.address, "interval: 1s\n", allowRewind="true")
        w.fetch()
        w.is_current(other)
        w.is_live("another story")


@case
def a_repository_that_vanishes_and_comes_back(w):
    with w.server() as server:
        w.fetch_from(server.address, "interval: 1s\n")
        w.begin("imagekeeper-sync.timer")
        w.is_live("golden")
        w.stop_timer()
        os.rename(w.up.path, w.up.path + ".away")
        w.fails("sync-failed", w.first, server.address)
        w.machine.run("systemctl", "start", "imagekeeper-sync.timer").expect()
        in_vain = lambda: w.machine.run("journalctl", "--no-pager", "UNIT=imagekeeper-sync.service").out.count("Failed with result")
        eventually(lambda: in_vain() >= 3, "further tries of the timer")
        assert len(w.events("sync-failed")) == 1, "the same was said again"
        w.holds("golden")
        os.rename(w.up.path + ".away", w.up.path)
        w.commit("back again")
        w.is_live("back again")
        w.stop_timer()
        assert w.machine.show("imagekeeper-sync", "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}


@case
def a_stop_ends_a_fetch_that_hangs_with_all_that_it_started(w):
    m = w.machine
    with w.server() as server:
        w.fetch_from(server.address)
        w.begin()
        server.pause = 600
        m.run("systemctl", "start", "--no-block", "imagekeeper-sync").expect()
        eventually(lambda: server.requests, "a request")
        m.run("systemctl", "stop", "imagekeeper-sync").expect()
        server.pause = 0
        w.fetch()
        w.is_live("golden")


@case
def what_is_wrong_with_the_configuration_is_an_error_in_the_journal(w):
    w.fetch_from("./up", "intervall: 5s\n")
    w.machine.run("systemd-sysusers").expect()
    assert w.machine.run("systemctl", "start", "imagekeeper-sync").status != 0
    eventually(lambda: 'unknown key "intervall"' in w.machine.run("journalctl", "-u", "imagekeeper-sync", "-p", "err", "--no-pager").out, "the reason")
    # The line of the file and the caret below it stand in the same entry.
    entry, = w.machine.journal("-u", "imagekeeper-sync", "SYSLOG_IDENTIFIER=imagekeeper")
    assert entry["IMAGEKEEPER_EVENT"] == "sync-failed" and "\n" in entry["MESSAGE"] and "intervall: 5s" in entry["MESSAGE"], entry


@case
def half_a_gigabyte_of_junk_costs_nothing_or_is_refused(w):
    m = w.machine
    with open(w.up.path + "/junk.bin", "wb") as f, open("/dev/urandom", "rb") as source:
        for _ in range(512):
            f.write(source.read(MIB))
    w.up.git("config", "core.compression", "0")
    w.up.git("config", "core.bigFileThreshold", "1m")
    w.commit("beside junk")
    os.unlink(w.up.path + "/junk.bin")
    with w.server() as server:
        w.fetch_from(server.address, "interval: 1s\n")
        w.begin()
        w.fetch()
        w.is_live("beside junk")
        assert w.size() < 8, w.size()
    if why_not():
        print("# from a server that sends everything: not tried, as " + why_not())
        return
    # A server that cannot leave it out, and a bound for what one file may have. A fresh copy wants all of it.
    w.up.git("config", "uploadpack.allowFilter", "false")
    m.run("rm", "-r", STATE + "/repository.git").expect()
    head = w.up.head()
    w.commit("with all the junk")
    w.commit("with all the junk, twice")
    m.run("sh", "-c", "printf '[Service]\\nLimitFSIZE=16M\\n' >/etc/systemd/system/imagekeeper-sync.service.d/size.conf && systemctl daemon-reload").expect()
    with sshd(w.lab) as port:
        for name, credential in (("key", "ssh-key"), ("known", "known-hosts")):
            with open(w.lab + "/" + name) as f:
                simulator.write_private("%s/%s" % (w.folder, credential), f.read())
        w.fetch_from("ssh://root@127.0.0.1:%d%s" % (port, w.up.path), "interval: 1s\n", sshKeyFile="ssh-key", knownHostsFile="known-hosts")
        w.up.write("junk.bin", b"")
        w.fails("sync-failed", head, "File too large")
        w.fails_again(head)
        w.holds("beside junk")
        assert w.size() < 40, w.size()


@case
def a_full_disk_leaves_the_old_set_in_force(w):
    m = w.machine
    with w.server() as server:
        w.fetch_from(server.address, "interval: 1s\n")
        m.run("mkdir", STATE).expect()
        m.run("mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", STATE).expect()
        w.begin()
        w.fetch()
        w.is_live("golden")
        w.up.write("large.yaml", b"# %s\n" % os.urandom(800 * 1024).hex().encode())
        w.commit("with much beside it")
        w.fails("sync-failed", w.first, "No space left")
        w.holds("golden")
        m.run("mount", "-o", "remount,size=32m", STATE).expect()
        w.fetch()
        w.is_live("with much beside it")


@case
def an_instance_has_its_own_specs_for_their_readers_alone_if_that_is_wanted(w):
    """The other modes are those that a remark in the unit names."""
    m, other = w.machine, STATE + "-other"
    with w.server() as server:
        w.fetch_from(server.address)
        with open(w.config_file) as f:
            w.write(w.folder + "/other.yaml", f.read().replace(STATE, other))
        for unit, text in (("imagekeeper-sync@", "StateDirectoryMode=0750"), ("imagekeeperd@", "SupplementaryGroups=imagekeeper-sync")):
            m.run("sh", "-c", "printf '[Service]\\n%s\\n' >/etc/systemd/system/%s.service.d/group.conf" % (text, unit)).expect()
        m.run("systemctl", "daemon-reload").expect()
        w.image(1)
        m.run("systemd-sysusers").expect()
        m.run("systemctl", "enable", "--now", "imagekeeper-sync@other.timer", "imagekeeperd@other").expect()
        w.is_live("golden")
        w.commit("of the other")
        w.is_live("of the other")
    assert m.run("stat", "-c", "%a %U", other).out == "750 imagekeeper-sync\n"
    assert m.run("setpriv", "--reuid=nobody", "--clear-groups", "ls", other).status != 0
    assert m.run("ls", STATE).status != 0


@case
def what_the_sandbox_is_to_prevent_can_be_done_without_it_and_not_with_it(w):
    shutil.copy(os.path.join(simulator.HERE, "sandbox-probe.py"), w.folder + "/probe.py")
    os.chmod(w.folder + "/probe.py", 0o644)
    w.machine.run("touch", "/tmp/left-by-somebody").expect()
    w.machine.run("systemd-sysusers").expect()
    bare, inside = probe(w, "bare-probe"), probe(w, "probe")
    assert not [d for d, possible in inside["possible"].items() if possible], inside["possible"]
    assert all(inside["needed"].values()), inside["needed"]
    assert not [d for d, possible in bare["possible"].items() if not possible], bare["possible"]
    assert all(inside["namespaces"][n] != bare["namespaces"][n] for n in bare["namespaces"]), (bare, inside)
    assert inside["devices"] != bare["devices"]


if not have("git"):
    skip("git is not installed")
prepare({"imagekeeperd.service": DAEMON, "imagekeeperd@.service": DAEMON, "imagekeeper-sync.service": SYNC, "imagekeeper-sync@.service": SYNC,
         "imagekeeper-sync.timer": TIMER, "imagekeeper-sync@.timer": TIMER})
add_probes("imagekeeper-sync.service", "LoadCredential=credential:/etc/imagekeeper/git-token\n")
run(world=Synced)
