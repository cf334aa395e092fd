#!/usr/bin/env python3
"""`imagekeeper validate` and the command line around it: no network, no simulator. Prints TAP.

tests/specs/bad holds files with the exact text that is to be shown beside them (FILE and CONFIG stand for the paths);
tests/specs/good holds files that must validate.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import Result  # noqa: E402

SPECS = os.path.join(os.environ.get("srcdir", "."), "tests", "specs")
ACCOUNTS = "accounts:\n  - {name: prod, type: oci}\n  - {name: lab, type: oci}\n"
PREFIXES = {  # of the names of files whose specs have an account of another cloud
    "ims-": "  - {name: hw, type: ims, region: cn-north-4, projectId: p, accessKeyFile: ./ak, secretKeyFile: ./sk}\n",
    "glance-": "  - {name: lab, type: openstack, cloud: lab, cloudsFile: ./clouds.yaml}\n  - {name: two, type: openstack, cloud: two, cloudsFile: ./clouds.yaml}\n"}
GOOD_SPEC = ("apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: a}\n"
             "spec: {account: prod, imageId: ocid1.image.a, displayName: x}\n")
ONE = "imagekeeper: error: 1 problem was found, nothing was done\n"

# Configuration files: the text, and what is shown of it.
BAD_CONFIGURATIONS = {
    "empty": ("", "CONFIG: error: the configuration is empty\n" + ONE),
    "only_a_comment": ("# later\n", "CONFIG: error: the configuration is empty\n" + ONE),
    "two_documents": (ACCOUNTS + "---\nmode: observe\n",
                      "CONFIG:5:1: error: the configuration is one document\n    5 | mode: observe\n      | ^\n" + ONE),
    "a_list": ("- accounts\n", "CONFIG:1:1: error: the configuration must be a map, not a list\n    1 | - accounts\n      | ^\n" + ONE),
    "no_accounts": ("mode: observe\n", "CONFIG:1:1: error: the configuration needs \"accounts\": the clouds and how to reach them\n"
                                       "    1 | mode: observe\n      | ^\n" + ONE),
    "accounts_without_value": ("accounts:\n", "CONFIG:1:10: error: accounts has no value; it must be a list\n"
                                              "    1 | accounts:\n      |          ^\n" + ONE),
    "accounts_as_a_map": ("accounts: {name: prod}\n", "CONFIG:1:11: error: accounts must be a list, not a map\n"
                                                      "    1 | accounts: {name: prod}\n      |           ^\n" + ONE),
    "account_as_a_word": ("accounts: [prod]\n", "CONFIG:1:12: error: an account must be a map, not a string\n"
                                                "    1 | accounts: [prod]\n      |            ^\n" + ONE),
    "unknown_key": ("intervall: 5m\n" + ACCOUNTS,
                    "CONFIG:1:1: error: unknown key \"intervall\" in the configuration; did you mean \"interval\"?\n"
                    "    1 | intervall: 5m\n      | ^\n" + ONE),
    "unknown_key_of_an_account": ("accounts: [{name: a, type: oci, keyfile: k}]\n",
                                  "CONFIG:1:33: error: unknown key \"keyfile\" in an account; did you mean \"keyFile\"?\n"
                                  "    1 | accounts: [{name: a, type: oci, keyfile: k}]\n"
                                  "      |                                 ^\n" + ONE),
    "unknown_limit": ("limits: {maxChange: 5}\n" + ACCOUNTS,
                      "CONFIG:1:10: error: unknown key \"maxChange\" in limits; did you mean \"maxChanges\"?\n"
                      "    1 | limits: {maxChange: 5}\n      |          ^\n" + ONE),
    "unknown_type": ("accounts: [{name: a, type: aws}]\n", None),
    "no_type": ("accounts: [{name: a}]\n", "CONFIG:1:12: error: an account needs \"type\": which cloud\n"
                                           "    1 | accounts: [{name: a}]\n      |            ^\n" + ONE),
    "same_account_twice": ("accounts:\n  - {name: a, type: oci}\n  - {name: a, type: oci}\n",
                           "CONFIG:3:12: error: account \"a\" is already there, in line 2\n"
                           "    3 |   - {name: a, type: oci}\n      |            ^\n" + ONE),
    "plain_http": ("accounts: [{name: a, type: oci, endpoint: \"http://iaas.example\"}]\n",
                   "CONFIG:1:43: error: endpoint: http:// is for this machine alone (127.0.0.1, ::1, localhost): "
                   "use https://iaas.example\n"
                   "    1 | accounts: [{name: a, type: oci, endpoint: \"http://iaas.example\"}]\n"
                   "      |                                           ^\n" + ONE),
    "interval_without_unit": ("interval: 5\n" + ACCOUNTS,
                              "CONFIG:1:11: error: interval must be a duration such as 90s, 5m or 1h30m, not \"5\"\n"
                              "    1 | interval: 5\n      |           ^\n" + ONE),
    "interval_too_short": ("interval: 500ms\n" + ACCOUNTS, "CONFIG:1:11: error: interval must be at least 1s, not 500ms\n"
                                                           "    1 | interval: 500ms\n      |           ^\n" + ONE),
    "interval_too_long": ("interval: 60d\n" + ACCOUNTS, "CONFIG:1:11: error: interval must be at most 31d, not 60d\n"
                                                        "    1 | interval: 60d\n      |           ^\n" + ONE),
    "unknown_mode": ("mode: dry-run\n" + ACCOUNTS, "CONFIG:1:7: error: mode must be enforce or observe, not \"dry-run\"\n"
                                                   "    1 | mode: dry-run\n      |       ^\n" + ONE),
    "too_many_changes": ("limits: {maxChanges: 0}\n" + ACCOUNTS, "CONFIG:1:22: error: maxChanges must be 1 to 1000000, not 0\n"
                                                                 "    1 | limits: {maxChanges: 0}\n"
                                                                 "      |                      ^\n" + ONE),
    "specs_as_a_list": ("specs: [a, b]\n" + ACCOUNTS, "CONFIG:1:8: error: specs must be a single value, not a list\n"
                                                      "    1 | specs: [a, b]\n      |        ^\n" + ONE),
}
for _i, _size in enumerate(("10000", "0", "-1", "many", "1.5", "1000x")):
    BAD_CONFIGURATIONS["page_size_%d" % _i] = (
        "accounts: [{name: a, type: oci, pageSize: %s}]\n" % _size,
        "CONFIG:1:43: error: pageSize must be auto or 1 to 1000\n"
        "    1 | accounts: [{name: a, type: oci, pageSize: %s}]\n      |                                           ^\n" % _size + ONE)

cases = []


def case(function):
    cases.append((function.__name__, function))
    return function


class Folder:
    """A configuration and one good spec, in a folder of the case's own."""

    def __init__(self, path):
        self.path = path
        self.config = self.write("imagekeeper.yaml", ACCOUNTS)
        self.spec = self.write("spec.yaml", GOOD_SPEC)

    def write(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def run(self, *words, shell="", stdout=None):
        command = os.environ.get("WRAPPER", "").split() + [os.environ["IMAGEKEEPER"], *words]
        if shell:
            command = ["/bin/sh", "-c", "exec \"$@\" " + shell, "sh"] + command
        environment = dict(os.environ, NO_COLOR="1", HOME=self.path)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment, timeout=120)
        err = done.stderr.decode()
        assert done.returncode >= 0, "ended by signal %d\n%s" % (-done.returncode, err)
        assert "Sanitizer" not in err and "runtime error" not in err, err
        return Result(done.returncode, (done.stdout or b"").decode(), err)

    def validate(self, *words, config=None, specs=None, **more):
        return self.run("validate", "--config", config or self.config, "--specs", specs or self.spec, *words, **more)


def expect_text(result, expected, **paths):
    shown = result.expect(1).err
    for name, path in paths.items():
        shown = shown.replace(path, name)
    assert shown == expected, "shown:\n%s\nexpected:\n%s" % (shown, expected)
    assert result.out == "", result.out


def prepare(w, path):
    """Specs of other clouds than OCI are named for them, and have an account there."""
    for prefix, accounts in PREFIXES.items():
        if os.path.basename(path).startswith(prefix):
            w.write("imagekeeper.yaml", ACCOUNTS.replace("  - {name: lab, type: oci}\n", "") + accounts)


def bad_spec(path):
    def test(w):
        prepare(w, path)
        with open(path[:-len(".yaml")] + ".expect", encoding="utf-8") as f:
            expect_text(w.validate(specs=path), f.read(), FILE=path, CONFIG=w.config)
    return test


def good_spec(path):
    def test(w):
        prepare(w, path)
        result = w.validate(specs=path).expect(0)
        assert "error:" not in result.err, result.err
        assert result.out.endswith("are valid\n"), result.out
    return test


def bad_configuration(text, expected):
    def test(w):
        config = w.write("c.yaml", text)
        if expected is None:
            assert "must be oci" in w.validate(config=config).expect(1).err
        else:
            expect_text(w.validate(config=config), expected, CONFIG=config)
    return test


def spec_files(kind):
    folder = os.path.join(SPECS, kind)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".yaml")]


cases += [("bad_spec_" + os.path.basename(p)[:-5], bad_spec(p)) for p in spec_files("bad")]
cases += [("good_spec_" + os.path.basename(p)[:-5], good_spec(p)) for p in spec_files("good")]
cases += [("bad_configuration_" + name, bad_configuration(*row)) for name, row in BAD_CONFIGURATIONS.items()]


@case
def every_expectation_has_its_file(w):
    for name in os.listdir(os.path.join(SPECS, "bad")):
        assert os.path.exists(os.path.join(SPECS, "bad", os.path.splitext(name)[0] + ".yaml")), name


@case
def all_good_specs_are_counted(w):
    assert w.validate().expect(0).out == "1 document in %s and 2 accounts in %s are valid\n" % (w.spec, w.config)


@case
def a_folder_is_read_recursively_and_hidden_names_are_passed_over(w):
    w.write("specs/deep/er/a.yaml", GOOD_SPEC)
    w.write("specs/b.yml", GOOD_SPEC.replace("name: a", "name: b").replace("image.a", "image.b"))
    w.write("specs/.hidden.yaml", "[")
    w.write("specs/.git/x.yaml", "[")
    w.write("specs/README.md", "[")
    assert w.validate(specs=w.path + "/specs").expect(0).out.startswith("2 documents in ")


@case
def a_name_that_two_files_use_is_told_with_both_places(w):
    w.write("specs/a.yaml", GOOD_SPEC)
    w.write("specs/b.yaml", "# a comment\n" + GOOD_SPEC.replace("image.a", "image.b"))
    expect_text(w.validate(specs=w.path + "/specs/"),
                "SPECS/b.yaml:2:1: error: OciImage \"a\" is already declared at SPECS/a.yaml:1: give one of them another name\n" + ONE,
                SPECS=w.path + "/specs")


@case
def problems_of_all_files_are_shown(w):
    w.write("specs/a.yaml", "kind: Nothing\n")
    w.write("specs/b.yaml", "[")
    w.write("specs/c.yaml", GOOD_SPEC.replace("displayName", "displayNam"))
    err = w.validate(specs=w.path + "/specs").expect(1).err
    for name in ("a.yaml:", "b.yaml:", "c.yaml:"):
        assert w.path + "/specs/" + name in err, err


@case
def a_folder_without_specs_is_an_error(w):
    os.mkdir(w.path + "/specs")
    expect_text(w.validate(specs=w.path + "/specs"), "imagekeeper: error: specs: SPECS holds no *.yaml file\n", SPECS=w.path + "/specs")


@case
def specs_that_are_fetched_and_not_there_yet_say_how_to_fetch_them(w):
    with open(w.config) as f:
        text = f.read()
    w.write("imagekeeper.yaml", "sync: {repository: /nowhere}\nspecs: %s/none/\n" % w.path + re.sub("^specs:.*\n", "", text, flags=re.M))
    assert "systemctl start imagekeeper-sync" in w.run("validate", "--config", w.config).expect(1).err
    assert "systemctl" not in w.validate(specs=w.path + "/others").expect(1).err


@case
def specs_that_are_not_there_are_an_error(w):
    expect_text(w.validate(specs=w.path + "/none"), "imagekeeper: error: specs: SPECS: No such file or directory\n",
                SPECS=w.path + "/none")


@case
def a_loop_of_links_is_an_error(w):
    os.mkdir(w.path + "/specs")
    os.symlink(".", w.path + "/specs/a")
    os.symlink(".", w.path + "/specs/b")
    assert "is there a loop of links?" in w.validate(specs=w.path + "/specs").expect(1).err


@case
def a_configuration_that_is_not_there_is_an_error(w):
    expect_text(w.validate(config=w.path + "/none"),
                "imagekeeper: error: the configuration cannot be read: CONFIG: does not exist\n", CONFIG=w.path + "/none")


@case
def a_configuration_that_is_a_folder_is_an_error(w):
    expect_text(w.validate(config=w.path),
                "imagekeeper: error: the configuration cannot be read: CONFIG: is a directory, not a regular file\n", CONFIG=w.path)


@case
def a_configuration_that_may_not_be_read_is_an_error(w):
    if os.geteuid() == 0:
        return  # who may read everything
    os.chmod(w.config, 0)
    assert "may not read it: mend it with: chmod o+r " + w.config in w.validate().expect(1).err


@case
def a_configuration_without_specs_wants_the_option(w):
    expect_text(w.run("validate", "--config", w.config),
                "imagekeeper: error: CONFIG does not say where the specs are: set `specs`, or give --specs\n", CONFIG=w.config)


@case
def a_secret_that_stands_in_the_configuration_by_mistake_is_not_shown(w):
    for line in ("accessKey: HUSH1", "secret_key: 'HUSH1'", '"passwort": "HUSH1", "password": HUSH1', "securityToken: HUSH1 HUSH1"):
        w.write("imagekeeper.yaml", "accounts:\n  - {name: hw, type: ims, region: r, %s}\n" % line)
        told = w.validate().expect(1).err
        assert "HUSH1" not in told.replace('"passwort": "HUSH1"', "") and "***" in told and ": error: unknown key" in told, told
    w.write("imagekeeper.yaml", "accounts:\n  - name: hw\n    type: ims\n    accessKeyFile: shown-1\n    secretKey: HUSH1\n    keyFile: shown-2\n")
    told = w.validate().expect(1).err
    assert "HUSH1" not in told and "shown-2" in told, told


@case
def specs_are_relative_to_the_configuration(w):
    config = w.write("c.yaml", "specs: spec.yaml\n" + ACCOUNTS)
    w.run("validate", "--config", config).expect(0)


@case
def help_goes_to_standard_output(w):
    for words in (("--help",), ("-h",), ("help",), ("validate", "--help"), ("validate", "-h")):
        result = w.run(*words).expect(0)
        assert result.out.startswith("Usage: imagekeeper ") and result.err == "", result.out
        assert ("--config FILE" in result.out) == (words[0] == "validate"), result.out
    assert "validate" in w.run("--help").out


@case
def the_version_is_one_line(w):
    for words in (("--version",), ("validate", "--version")):
        result = w.run(*words).expect(0)
        assert result.out.startswith("imagekeeper ") and result.out.count("\n") == 1, result.out


@case
def no_command_is_an_error(w):
    expect_text(w.run(), "imagekeeper: error: which command? see imagekeeper --help\n")


@case
def an_unknown_command_is_an_error(w):
    expect_text(w.run("validat"), "imagekeeper: error: unknown command \"validat\"; did you mean \"validate\"?\n")
    expect_text(w.run("frobnicate"), "imagekeeper: error: unknown command \"frobnicate\"; imagekeeper --help lists them\n")


@case
def an_unknown_option_is_an_error(w):
    for word in ("--bogus", "-x"):
        result = w.validate(word).expect(1)
        assert word.lstrip("-") in result.err and result.out == "", result.err


@case
def an_option_without_its_value_is_an_error(w):
    expect_text(w.run("validate", "--config"), "imagekeeper: error: --config needs a value, FILE; see imagekeeper validate --help\n")


@case
def a_wrong_option_is_told_with_the_nearest_one(w):
    for words, told in (
            (("status", "--wtch"), 'unknown option "--wtch"; did you mean "--watch"? See imagekeeper status --help'),
            (("history", "--sinse=today"), 'unknown option "--sinse"; did you mean "--since"? See imagekeeper history --help'),
            (("history", "name", "--frobnicate"), 'unknown option "--frobnicate"; see imagekeeper history --help'),
            (("plan", "--watch"), 'unknown option "--watch"; see imagekeeper plan --help'),
            (("history", "--rev", "--bogus"), 'unknown option "--bogus"; see imagekeeper history --help'),
            (("history", "--a"), 'the option "--a" may be --action, --account, --all, --any-writer; see imagekeeper history --help'),
            (("history", "-rX"), 'unknown option "-X"; see imagekeeper history --help'),
            (("history", "-rS"), '--since needs a value, TIME; see imagekeeper history --help'),
            (("history", "-n"), '--lines needs a value, N; see imagekeeper history --help'),
            (("history", "--until"), '--until needs a value, TIME; see imagekeeper history --help'),
            (("status", "--watch=yes"), '--watch takes no value; see imagekeeper status --help')):
        expect_text(w.run(*words), "imagekeeper: error: %s\n" % told)


@case
def an_unknown_form_of_results_is_an_error(w):
    expect_text(w.run("plan", "--config", w.config, "--specs", w.spec, "-o", "xml"),
                "imagekeeper: error: --output must be text or json, not \"xml\"\n")


@case
def extra_arguments_are_an_error(w):
    expect_text(w.validate("more", "words"), "imagekeeper: error: unexpected argument \"more\"; see imagekeeper validate --help\n")


@case
def results_that_cannot_be_written_are_an_error(w):
    for words in (("validate", "--config", w.config, "--specs", w.spec), ("--help",), ("validate", "--help"), ("--version",)):
        closed = w.run(*words, shell=">&-").expect(1)
        assert closed.err == "imagekeeper: error: the results could not be written to standard output: Bad file descriptor\n", closed.err
        with open("/dev/full", "w") as full:
            result = w.run(*words, stdout=full).expect(1)
        assert result.err == ("imagekeeper: error: the results could not be written to standard output: "
                              "No space left on device\n"), result.err


def main():
    print("1..%d" % len(cases), flush=True)
    failed = 0
    for n, (name, test) in enumerate(cases, 1):
        folder = tempfile.mkdtemp(prefix="ik-test-")
        try:
            test(Folder(folder))
            print("ok %d - %s" % (n, name), flush=True)
        except Exception:
            failed += 1
            print("not ok %d - %s" % (n, name))
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


main()
