#!/usr/bin/env python3
"""`imagekeeper sync` on real repositories, by path, http and https. Prints TAP."""
import ctypes
import glob
import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import Skipped, case, run  # noqa: E402
from repository import SecretWatch, Server, SyncWorld  # noqa: E402

TOKEN = "token-%032x" % random.getrandbits(128)


def command(w):
    return [os.environ["IMAGEKEEPER"], "sync", "--config", w.config_file]


def write_raw_commit(up, *entries):
    """A commit whose tree no git would write: (mode, name, id)…; main is set to it."""
    raw = b"".join(b"%s %s\0%s" % (mode.encode(), name.encode(), bytes.fromhex(oid)) for mode, name, oid in entries)
    tree = up.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", text=raw).decode()
    commit = up.git("commit-tree", "-m", "raw", "-p", "HEAD", tree)
    up.git("update-ref", "refs/heads/main", commit)
    return commit


@case
def the_first_sync_and_nothing_new(w):
    result = w.synced(w.up.first, 1)
    assert result.out == "current: %s (1 file) from %s/./up main\n" % (w.up.first, w.folder) and result.err == "", result.out + result.err
    before = os.lstat(w.current).st_mtime_ns
    result = w.sync()
    assert result.out == "current: %s (1 file) from %s/./up main, nothing new\n" % (w.up.first, w.folder), result.out
    assert os.lstat(w.current).st_mtime_ns == before


@case
def a_push_and_its_history_bring_what_is_new(w):
    w.synced(w.up.first)
    for _ in range(3):
        w.up.push()
    w.synced(w.up.push("b"), 2)
    os.remove(os.path.join(w.up.path, "a.yaml"))
    w.synced(w.up.commit(), 1)


@case
def a_merge_of_an_old_branch_descends(w):
    w.up.git("checkout", "--quiet", "-b", "side")
    w.up.push("side")
    w.up.git("checkout", "--quiet", "main")
    w.synced(w.up.push("b"))
    w.up.git("merge", "--quiet", "--no-edit", "side")
    w.synced(w.up.head(), 3)


@case
def tags_and_branches(w):
    w.up.git("tag", "light")
    second = w.up.push()
    w.up.git("tag", "--annotate", "--message=v1", "v1")
    w.up.push()
    w.up.git("branch", "other")
    w.configure(ref="light")
    w.synced(w.up.first)
    w.configure(ref="v1")
    w.synced(second)
    assert "nothing new" in w.sync().out
    w.configure(ref="refs/heads/other")
    w.synced(w.up.head())
    w.configure(ref="gone")
    w.refused(w.up.head(), "no branch or tag \"gone\"", "sync.ref")
    w.up.git("tag", "other", w.up.first)
    w.configure(ref="other")
    w.refused(w.up.head(), "a branch and a tag \"other\"", "refs/tags/other")


@case
def a_commit_by_its_id(w):
    second = w.up.push()
    w.up.push()
    w.configure(ref=second)
    w.synced(second)
    assert "nothing new" in w.sync().out
    w.up.git("reset", "--quiet", "--hard", w.up.first)
    third = w.up.push()
    w.configure(ref=third)
    w.refused(second, "does not descend")
    w.configure(ref="f" * 40)
    w.refused(second, "has the commit ffff")


@case
def a_forced_push_is_refused_unless_it_is_allowed(w):
    second = w.up.push()
    w.synced(second)
    w.up.git("reset", "--quiet", "--hard", w.up.first)
    other = w.up.push()
    for _ in range(2):
        w.refused(second, second, other, "does not descend", "sync.allowRewind: true")
    w.configure(allowRewind=True)
    w.synced(other)
    w.configure()
    w.synced(w.up.push())


@case
def a_step_back_is_refused_and_forth_again_is_not(w):
    w.up.push()
    second = w.up.push()
    third = w.up.push()
    w.synced(third)
    w.up.git("reset", "--quiet", "--hard", second)
    w.refused(third, "does not descend")
    w.configure(allowRewind=True)
    w.synced(second)
    w.configure()
    w.up.git("reset", "--quiet", "--hard", third)
    w.synced(third)


@case
def a_lost_copy_of_the_repository_is_made_anew(w):
    w.synced(w.up.push())
    shutil.rmtree(os.path.join(w.state, "repository.git"))
    w.synced(w.up.push())
    shutil.rmtree(os.path.join(w.state, "repository.git"))
    last = w.up.head()
    w.up.git("reset", "--quiet", "--hard", w.up.first)
    w.up.push()
    w.refused(last, "does not descend")


@case
def a_vanished_repository_leaves_what_is_current(w):
    w.synced(w.up.first)
    shutil.move(w.up.path, w.up.path + ".away")
    first = w.up.first
    result = w.sync(1)
    assert "sync.repository" in result.err and "No such file" in result.err, result.err
    shutil.move(w.up.path + ".away", w.up.path)
    w.is_current(first)
    os.rename(os.path.join(w.up.path, ".git"), os.path.join(w.up.path, "git"))
    assert "cannot be read" in w.sync(1).err
    os.rename(os.path.join(w.up.path, "git"), os.path.join(w.up.path, ".git"))
    w.is_current(first)


@case
def ssh_signatures(w):
    for name in ("good", "wrong"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", os.path.join(w.folder, name)], check=True)
    with open(w.folder + "/good.pub") as f:
        w.write(w.folder + "/signers", "a@example.com namespaces=\"git\" " + f.read())
    w.up.git("config", "gpg.format", "ssh")
    w.up.git("config", "user.signingkey", w.folder + "/good")
    w.configure(verify="ssh", allowedSigners="./signers")
    w.refused(None, w.up.first, "is not signed")
    w.up.spec("b")
    good = w.up.commit("--gpg-sign")
    w.synced(good)
    assert "nothing new" in w.synced(good).out
    w.up.git("config", "user.signingkey", w.folder + "/wrong")
    w.up.spec("b", "wrong")
    wrong = w.up.commit("--gpg-sign")
    w.refused(good, wrong, "sync.allowedSigners")
    w.up.push()
    w.refused(good, "is not signed")
    # Who may not sign any more is noticed although nothing is new.
    w.up.git("reset", "--quiet", "--hard", good)
    w.synced(good)
    shutil.copy(w.folder + "/wrong.pub", w.folder + "/key")
    with open(w.folder + "/key") as f:
        w.write(w.folder + "/signers", "a@example.com " + f.read())
    w.refused(good, "sync.allowedSigners")


@case
def a_signed_commit_that_was_changed_is_refused(w):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(w.folder, "good")], check=True)
    with open(w.folder + "/good.pub") as f:
        w.write(w.folder + "/signers", "a@example.com " + f.read())
    w.up.git("config", "gpg.format", "ssh")
    w.up.git("config", "user.signingkey", w.folder + "/good")
    w.up.spec("b")
    w.up.commit("--gpg-sign")
    text = w.up.git("cat-file", "commit", "HEAD").replace("change", "chance") + "\n"
    w.up.git("update-ref", "refs/heads/main", w.up.git("hash-object", "-t", "commit", "-w", "--stdin", text=text))
    w.configure(verify="ssh", allowedSigners="./signers")
    w.refused(None, "sync.allowedSigners", "verdict")


@case
def gpg_signatures(w):
    for name in ("good", "wrong"):
        home = os.path.join(w.folder, "gpg-" + name)
        os.mkdir(home, 0o700)
        words = ["gpg", "--homedir", home, "--batch", "--quiet"]
        subprocess.run(words + ["--passphrase", "", "--quick-generate-key", name + "@example.com", "ed25519", "sign", "never"], check=True,
                       stderr=subprocess.DEVNULL)
        with open(w.folder + "/%s.asc" % name, "wb") as f:
            subprocess.run(words + ["--armor", "--export"], check=True, stdout=f)
    try:
        w.configure(verify="gpg", publicKeys="./good.asc")
        w.refused(None, "is not signed")
        w.up.spec("b")
        w.up.git("config", "user.signingkey", "good@example.com")
        w.up.git("add", "--all")
        w.up.git("commit", "--quiet", "--gpg-sign", "--message=signed", GNUPGHOME=w.folder + "/gpg-good")
        good = w.up.head()
        w.synced(good)
        w.up.git("config", "user.signingkey", "wrong@example.com")
        w.up.git("commit", "--quiet", "--allow-empty", "--gpg-sign", "--message=signed", GNUPGHOME=w.folder + "/gpg-wrong")
        w.refused(good, "sync.publicKeys")
        w.write(w.folder + "/good.asc", "no key\n")
        w.refused(good, "sync.publicKeys", "gpg does not take")
    finally:
        for name in ("good", "wrong"):
            subprocess.run(["gpgconf", "--homedir", os.path.join(w.folder, "gpg-" + name), "--kill", "all"])


@case
def links_within_the_tree_are_exported(w):
    w.up.spec("base", file="common/base.yaml")
    w.up.link("prod/base.yaml", "../common/base.yaml")
    w.up.link("prod/again.yml", "./base.yaml")
    w.up.link("everything", "common/../common")
    w.up.link("readme", "README.md")
    w.up.write("README.md", "hello\n")
    w.up.commit()
    result = w.sync()
    assert "(5 files)" in result.out, result.out
    assert os.readlink(w.current + "/prod/base.yaml") == "../common/base.yaml"
    assert os.readlink(w.current + "/prod/again.yml") == "../common/base.yaml"
    assert os.readlink(w.current + "/everything") == "common"
    assert not os.path.lexists(w.current + "/readme")
    assert "nothing new" in w.sync().out


@case
def links_that_lead_out_are_refused(w):
    w.synced(w.up.first)
    for name, target in (("x.yaml", "/etc/passwd"), ("x.yaml", "../x.yaml"), ("deep/er/x.yaml", "../../../a.yaml"), ("x", "../../etc"),
                         ("x.yaml", "a.yaml/../../b.yaml"), ("x.yaml", "nothing.yaml"), ("x.yaml", "x.yaml"), ("x.yaml", ".revision"),
                         ("x.yaml", "../exports"), ("x.yml", "README"), ("d/x", "/")):
        w.up.write("README", "text\n")
        w.up.link(name, target)
        w.up.commit()
        w.refused(w.up.first, name, "is refused")
        w.up.git("reset", "--quiet", "--hard", w.up.first)


@case
def names_that_are_none_are_refused(w):
    w.synced(w.up.first)
    blob = w.up.git("rev-parse", "HEAD:a.yaml")
    tree = w.up.git("rev-parse", "HEAD^{tree}")
    for name, oid, mode in (("..", tree, "40000"), (".git", tree, "40000"), (".GIT", tree, "40000"), ("..", blob, "100644"), ("a/../../b.yaml", blob, "100644")):
        write_raw_commit(w.up, (mode, name, oid))
        w.refused(w.up.first)
        w.up.git("update-ref", "refs/heads/main", w.up.first)


@case
def submodules_are_left_out_and_named(w):
    w.up.write(".gitmodules", "[submodule \"vendor\"]\n\tpath = vendor\n\turl = ../elsewhere\n")
    w.up.git("add", "--all")
    w.up.git("update-index", "--add", "--cacheinfo", "160000,%s,vendor" % w.up.first)
    w.up.git("commit", "--quiet", "--message=sub")
    result = w.sync()
    assert result.out.startswith("current: " + w.up.head()), result.out
    assert "submodules are never fetched: left out vendor" in result.err, result.err
    assert not os.path.exists(w.current + "/vendor")
    w.up.write(".gitmodules", "[submodule \"vendor\"]\n\tpath = vendor\n\turl = ../elsewhere\n\tupdate = !touch %s/ran\n" % w.folder)
    last = w.up.head()
    w.up.git("commit", "--quiet", "--all", "--message=a command in it")
    result = w.sync(1)
    assert "disallowed submodule update" in result.err and os.readlink(w.current) == "exports/" + last, result.err
    assert not os.path.exists(w.folder + "/ran")


@case
def nothing_of_the_repository_or_the_user_is_run(w):
    touch = "touch %s/ran" % w.folder
    w.up.write(".gitattributes", "*.yaml filter=evil ident export-subst text eol=crlf\nb.yaml export-ignore\n")
    w.up.write("b.yaml", "# $Id$ $Format:%H$\n")
    w.up.commit()
    w.write(w.folder + "/.gitconfig", "[filter \"evil\"]\n\tsmudge = %s\n\tclean = %s\n[core]\n\tfsmonitor = %s\n\tsshCommand = %s\n\thooksPath = %s/hooks\n"
            "[url \"/nowhere\"]\n\tinsteadOf = %s\n" % (touch, touch, touch, touch, w.folder, w.up.path))
    w.synced(w.up.head(), 2)
    for folder in (w.folder + "/hooks", w.state + "/repository.git/hooks"):
        os.makedirs(folder, exist_ok=True)
        for hook in ("reference-transaction", "post-checkout", "post-merge", "pre-auto-gc", "fsmonitor-watchman"):
            w.write(folder + "/" + hook, "#!/bin/sh\n%s\n" % touch)
            os.chmod(folder + "/" + hook, 0o755)
    w.up.push()
    w.sync(XDG_CONFIG_HOME=w.folder, GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="core.fsmonitor", GIT_CONFIG_VALUE_0=touch, GIT_DIR="/nowhere", GIT_SSH_COMMAND=touch)
    w.is_current(w.up.head())
    with open(w.current + "/b.yaml") as f:
        assert f.read() == "# $Id$ $Format:%H$\n"
    assert not os.path.exists(w.folder + "/ran")


@case
def modes_are_plain_whatever_the_umask(w):
    w.up.write("x/run.yaml", "#!/bin/sh\n")
    os.chmod(w.up.path + "/x/run.yaml", 0o755)
    w.up.commit()
    old = os.umask(0o077)
    try:
        w.sync()
    finally:
        os.umask(old)
    assert os.stat(w.current + "/x/run.yaml").st_mode & 0o7777 == 0o644
    for folder in (w.state + "/exports", w.current + "/", w.current + "/x"):
        assert os.stat(folder).st_mode & 0o7777 == 0o755, folder
    assert os.stat(w.state + "/repository.git").st_mode & 0o7777 == 0o700


@case
def times_of_unchanged_files_stay(w):
    w.up.spec("b")
    w.synced(w.up.commit())
    old = {name: os.stat(os.path.join(w.current, name)).st_mtime_ns for name in w.files()}
    time.sleep(0.02)
    w.synced(w.up.push("a", "new"))
    assert os.stat(w.current + "/b.yaml").st_mtime_ns == old["b.yaml"]
    changed = os.stat(w.current + "/a.yaml").st_mtime_ns
    assert changed > old["a.yaml"]
    # Back to what was exported before: that is a change, now.
    w.up.git("revert", "--no-edit", "HEAD")
    w.synced(w.up.head())
    assert os.stat(w.current + "/a.yaml").st_mtime_ns > changed and os.stat(w.current + "/b.yaml").st_mtime_ns == old["b.yaml"]


@case
def the_last_few_exports_stay(w):
    commits = [w.up.first]
    w.synced(commits[-1])
    for _ in range(4):
        commits.append(w.up.push())
        w.synced(commits[-1])
    assert sorted(w.exports()) == sorted(commits[-3:])
    w.configure(keep=1)
    commits.append(w.up.push())
    w.synced(commits[-1])
    assert w.exports() == commits[-1:]
    # A step back to one that is still there makes it anew.
    w.configure(keep=2, allowRewind=True)
    w.synced(w.up.push())
    w.up.git("reset", "--quiet", "--hard", commits[-1])
    w.synced(commits[-1])
    assert len(w.exports()) == 2


@case
def many_syncs_leave_few_packs(w):
    w.synced(w.up.first)
    for _ in range(45):
        w.up.push()
        w.sync()
    assert len(glob.glob(w.state + "/repository.git/objects/pack/*.pack")) < 41
    w.synced(w.up.push())


@case
def a_tree_without_specs_is_refused(w):
    w.synced(w.up.first)
    w.up.git("mv", "a.yaml", "a.txt")
    w.up.commit()
    w.refused(w.up.first, "no *.yaml")


@case
def a_spec_that_is_too_large_is_refused(w):
    w.synced(w.up.first)
    w.up.write("large.yaml", b"#" * (4 * 1024 * 1024))
    fits = w.up.commit()
    w.sync()
    w.up.write("large.yaml", b"#" * (4 * 1024 * 1024 + 1))
    w.up.commit()
    result = w.sync(1)
    assert "large.yaml has more than 4194304 bytes" in result.err, result.err
    assert os.readlink(w.current) == "exports/" + fits


@case
def half_a_hundred_megabytes_of_junk_cost_nothing(w):
    for i in range(5):
        w.up.write("junk/%d.bin" % i, os.urandom(10 * 1024 * 1024))
    w.up.commit()
    with Server(w) as server:
        w.configure(repository=server.address)
        w.synced(w.up.head(), 1)
        w.synced(w.up.push(), 1)
    size = sum(os.path.getsize(os.path.join(root, n)) for root, _, names in os.walk(w.state) for n in names)
    assert size < 1024 * 1024, size
    shutil.rmtree(w.state)
    w.up.git("config", "uploadpack.allowFilter", "false")
    w.configure()
    w.synced(w.up.head(), 1)  # a server that cannot leave them out


MEASURED = "import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]).returncode; " \
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(r)"


@case
def half_a_gigabyte_in_one_blob_is_never_held_in_memory(w):
    """From a server that cannot leave it out. It is of zeros, so that it travels as half a megabyte."""
    with open(w.up.path + "/junk.bin", "wb") as f:
        f.truncate(512 * 1024 * 1024)
    w.up.git("config", "core.bigFileThreshold", "1m")
    w.up.commit()
    os.unlink(w.up.path + "/junk.bin")
    w.up.git("config", "uploadpack.allowFilter", "false")
    done = subprocess.run([sys.executable, "-c", MEASURED] + command(w), env=w.environment, stdout=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    w.is_current(w.up.head())
    most = int(done.stdout.split()[-1])
    print("# at most %d MiB in one process" % (most // 1024))
    assert most < 128 * 1024, most


@case
def by_https_with_a_token(w):
    w.secret("token", TOKEN + "\n")
    with Server(w, token=TOKEN, user="bot", tls=True) as server:
        server.pause = 0.2
        w.configure(repository=server.address, tokenFile="./token", user="bot", caFile="./server.pem")
        with SecretWatch(TOKEN) as watch:
            w.synced(w.up.first)
            w.synced(w.up.push())
        assert not watch.found and watch.looks > 3, (watch.found, watch.looks)
        assert watch.children or os.geteuid() != 0, "no process of git was seen"
        w.configure(repository=server.address, tokenFile="./token", user="bot")
        w.refused(w.up.head(), "certificate")
        os.chmod(w.folder + "/token", 0o644)
        w.configure(repository=server.address, tokenFile="./token", user="bot", caFile="./server.pem")
        w.refused(w.up.head(), "sync.tokenFile", "chmod 600")


@case
def the_token_can_be_a_credential(w):
    os.mkdir(w.folder + "/credentials")
    w.secret("credentials/git-token", TOKEN)
    with Server(w, token=TOKEN) as server:
        w.configure(repository=server.address, tokenFile="git-token")
        w.sync(CREDENTIALS_DIRECTORY=w.folder + "/credentials")
        w.is_current(w.up.first)
        assert "LoadCredential" in w.sync(1).err


@case
def a_wrong_token_is_an_error_that_does_not_show_it(w):
    w.secret("token", TOKEN)
    with Server(w, token="another") as server:
        w.configure(repository=server.address, tokenFile="./token")
        said = w.refused(None, server.address, "Authentication failed")
        assert TOKEN not in said, said
        server.echo = True
        said = w.refused(None, "not with git:***")
        assert TOKEN not in said, said
        server.echo = False
        w.configure(repository=server.address)
        w.refused(None, "could not read Username")
    for root, _, names in os.walk(w.state):
        for name in names:
            with open(os.path.join(root, name), "rb") as f:
                assert TOKEN.encode() not in f.read(), name


@case
def a_redirect_is_refused(w):
    w.secret("token", TOKEN)
    with Server(w, token=TOKEN) as server, Server(w) as other:
        w.configure(repository=server.address, tokenFile="./token")
        w.synced(w.up.first)
        w.up.push()
        server.redirect = other.address
        w.refused(w.up.first, server.address)
        assert other.requests == []


@case
def a_dumb_server_gives_it_whole(w):
    second = w.up.push()
    w.up.git("update-server-info")
    with Server(w, dumb=True) as server:
        w.configure(repository=server.address)
        w.synced(second)
        third = w.up.push()
        w.up.git("update-server-info")
        w.synced(third)


@case
def a_server_that_is_not_there_is_an_error(w):
    with Server(w) as server:
        w.configure(repository=server.address)
        w.synced(w.up.first)
    w.refused(w.up.first, server.address)


@case
def a_kill_at_any_instant_leaves_current_whole(w):
    for i in range(40):
        w.up.spec("s%d" % i, file="folder%d/s%d.yaml" % (i % 7, i))
    known = {w.up.commit()}
    begin = time.monotonic()
    w.sync()
    took = time.monotonic() - begin
    flips = 0
    for _ in range(50):
        known.add(w.up.push("s1", file_of(w)))
        before = os.readlink(w.current)
        process = subprocess.Popen(command(w), env=w.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, took * 1.2))
        process.kill()
        process.wait()
        after = os.readlink(w.current)
        flips += after != before
        assert after[len("exports/"):] in known
        w.is_current(after[len("exports/"):])
    print("# %d of 50 were flipped before they were killed" % flips)
    w.synced(w.up.push())
    assert len(w.exports()) <= 3 and not [n for n in w.exports() if "." in n]
    assert "nothing new" in w.sync().out


def file_of(w):
    return "change %d" % random.getrandbits(32)


@case
def leftovers_are_taken_away(w):
    w.synced(w.up.first)
    os.makedirs(w.state + "/exports/%s.new/x" % ("a" * 40))
    os.makedirs(w.state + "/exports/%s.old/x" % ("b" * 40))
    os.symlink("nowhere", w.current + ".new")
    for name in ("shallow.lock", "config.lock", "refs/imagekeeper/fetched.lock", "packed-refs.lock"):
        w.write(w.state + "/repository.git/" + name, "")
    os.makedirs(w.state + "/repository.git/objects/tmp_objdir-incoming-x/pack")
    w.write(w.state + "/repository.git/objects/tmp_objdir-incoming-x/pack/tmp_pack_y", "")
    w.synced(w.up.push())
    assert sorted(os.listdir(w.state)) == ["current", "exports", "home", "lock", "repository.git"]
    assert len(w.exports()) == 2 and not glob.glob(w.state + "/repository.git/objects/tmp_*")


@case
def a_copy_that_has_grown_out_of_hand_is_fetched_anew(w):
    w.synced(w.up.first)
    junk = w.state + "/repository.git/objects/pack/junk"
    for size, stays in ((2 * 1024 ** 3 - 1024 ** 2, True), (2 * 1024 ** 3, False)):
        with open(junk, "wb") as f:
            f.truncate(size)
        w.synced(w.up.push())
        assert os.path.exists(junk) == stays, size
    w.up.git("reset", "--quiet", "--hard", w.up.first)
    w.refused(os.path.basename(os.readlink(w.current)), "does not descend")


@case
def two_at_once_take_turns(w):
    w.synced(w.up.first)
    for _ in range(3):
        head = w.up.push()
        both = [subprocess.Popen(command(w), env=w.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(4)]
        said = [p.communicate(timeout=120)[0] for p in both]
        assert [p.returncode for p in both] == [0] * 4, said
        assert sum("nothing new" in s for s in said) == 3, said
        w.is_current(head)


@case
def a_full_disk_leaves_what_is_current(w):
    os.mkdir(w.state)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", w.state.encode(), b"tmpfs", 0, b"size=2m") != 0:
        print("# a small file system cannot be mounted here: " + os.strerror(ctypes.get_errno()))
        return
    try:
        w.synced(w.up.first)
        w.up.write("large.yaml", b"# %s\n" % os.urandom(800 * 1024).hex().encode())
        w.up.commit()
        said = w.refused(w.up.first)
        assert "No space left" in said or "space" in said, said
        w.up.git("reset", "--quiet", "--hard", w.up.first)
        w.up.push()
        w.synced(w.up.head())
    finally:
        libc.umount2(w.state.encode(), 2)


@case
def root_leaves_nothing_in_a_folder_of_somebody_else(w):
    if os.geteuid() != 0:
        raise Skipped("only root could")
    w.synced(w.up.first)
    w.up.push()
    os.chown(w.state, 65534, 65534)
    w.refused(w.up.first, "belongs to user %s, not to root" % pwd.getpwuid(65534).pw_name, "systemctl start imagekeeper-sync")


@case
def who_may_not_fetch_is_told_who_may(w):
    if os.geteuid() != 0:
        raise Skipped("needs another user")
    w.synced(w.up.first)
    os.chmod(w.folder, 0o755)
    program = shutil.copy(os.environ["IMAGEKEEPER"], w.folder + "/program")
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "sync", "--config", w.config_file]
    for mode in (0o755, 0o700):
        os.chmod(w.state, mode)
        done = subprocess.run(words, env=w.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, done
        for word in (w.state, "belongs to user root, not to " + pwd.getpwuid(65534).pw_name, "systemctl start imagekeeper-sync"):
            assert word in done.stderr, done.stderr
    os.chmod(w.state, 0o777)  # the lock in it is root's
    done = subprocess.run(words, env=w.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 1 and "lock cannot be opened: Permission denied; fetch through the unit" in done.stderr, done
    w.configure(directory="other")
    done = subprocess.run(words, env=w.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 1 and "Permission denied; fetch through the unit: systemctl start" in done.stderr, done


@case
def a_current_that_is_not_ours_is_left_alone(w):
    os.makedirs(w.current)
    result = w.sync(1)
    assert "is not a link of ours" in result.err, result.err
    os.rmdir(w.current)
    os.symlink("/etc", w.current)
    assert "is not an export" in w.sync(1).err


@case
def what_is_missing_is_named(w):
    assert "the program git is not there" in w.sync(1, PATH="/nowhere").err
    w.write_config("  - {name: prod, type: oci}\n")
    assert "set `sync`" in w.sync(1).err


@case
def the_state_directory_of_the_unit_is_the_default(w):
    w.configure(directory=w.folder + "/unused")
    with open(w.config_file) as f:
        text = f.read().replace("  directory: %s/unused\n" % w.folder, "")
    w.write(w.config_file, text)
    w.sync(STATE_DIRECTORY=w.state + ":/elsewhere")
    w.is_current(w.up.first)


@case
def the_plan_shows_the_revision(w):
    w.synced(w.up.first)
    plan = w.run("plan", "--specs", w.current, "-o", "json")
    assert plan.json["revision"] == w.up.first, plan.out


@case
def sigterm_ends_it_and_its_git(w):
    with Server(w) as server:
        server.pause = 60
        w.configure(repository=server.address)
        process = subprocess.Popen(command(w), env=w.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not server.requests:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) != 0
        server.pause = 0
        w.synced(w.up.first)


if __name__ == "__main__":
    run(workers=4, world=SyncWorld)
