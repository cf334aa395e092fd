#!/usr/bin/env python3
"""Accounts of Huawei Cloud: requests signed with access keys, tokens for a password, secret files; and no secret in any output."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from case import *

IMAGE = cloud_image_id(1)
TOKEN = "MIIF"  # so begins every token
SECURITY_TOKEN = "gQpTemporaryTokenOfTheTest"


def simple(w, count=1):
    for n in range(1, count + 1):
        w.image(n)
        w.spec("i%02d" % n, target=cloud_image_id(n), extra={"tier": "golden"})


def by_password(w, **settings):
    w.configure(auth="password", **settings)


def temporary(w, expires="2099-01-01T00:00:00Z", **settings):
    w.sim.add_access_key("TEMPORARYKEY", "temporary-secret", security_token=SECURITY_TOKEN, expires=expires)
    w.secret(ak="TEMPORARYKEY", sk="temporary-secret", st=SECURITY_TOKEN)
    w.configure(securityTokenFile="./st", **settings)


def tokens(w):
    """Logins."""
    return w.sim.requests("CreateToken")


def check_no_secrets(*texts):
    for text in texts:
        for secret in (simulator.SECRET_KEY, simulator.HUAWEI_PASSWORD, "temporary-secret", SECURITY_TOKEN, TOKEN, "a-wrong-one", "Signature="):
            assert secret not in text, "%s is said in: %s" % (secret, text)


def refused(w, *words):
    """The error of a round in which nobody was let in; every way of saying it is looked through for secrets."""
    result = w.apply()
    text, plan = w.run("apply"), w.run("plan")
    check_no_secrets(result.out, result.err, text.out, text.err, plan.out, plan.err)
    error = result.only_error()
    for word in words:
        assert word in error["message"] and word in text.err, (word, error, text.err)
    assert w.patches() == [] or all(p["status"] == 401 for p in w.patches())
    return error


# --- access keys ---


@case
def every_request_is_signed_and_names_its_project(w):
    simple(w, 3)
    w.apply().expect(0)
    assert {(r["by"], r["project"], r["status"]) for r in w.sim.requests()} == {("signature", PROJECT, 200)}
    assert tokens(w) == [] and len(w.patches()) == 3


@case
def accessKey_is_what_is_meant_unless_it_is_said(w):
    simple(w)
    w.configure(auth=None)
    w.apply().expect(0)


@case
def bodies_and_queries_of_all_sorts_are_signed_right(w):
    w.sim.generate_cloud_images(7, note="\u955c\u50cf/ +*~!'&=?#%")
    w.configure(pageSize=3)
    w.spec(selector={"extra": {"note": "\u955c\u50cf/ +*~!'&=?#%"}}, __description="a+b/c ~ \u955c\u50cf \"quoted\" \\ %41", extra={"a.b:c": "1"})
    w.apply().expect(0)
    assert len(w.patches()) == 7


@case
def temporary_keys_come_with_their_token(w):
    simple(w)
    temporary(w)
    w.apply().expect(0)
    assert w.updates() == 1


@case
def temporary_keys_without_their_token_are_refused(w):
    simple(w)
    temporary(w)
    w.configure()
    assert refused(w, "security token")["status"] == 401


@case
def temporary_keys_whose_time_is_up_are_refused(w):
    simple(w)
    temporary(w, expires="2020-01-01T00:00:00Z")
    error = refused(w, "expires")
    assert (error["status"], error["code"]) == (401, "APIGW.0301") and error["opcRequestId"], error


@case
def a_wrong_secret_key_is_refused_and_asked_with_once(w):
    simple(w, 20)
    w.secret(sk="a-wrong-one")
    result = w.apply().expect(1)
    check_no_secrets(result.out, result.err)
    report = result.json
    assert len(report["errors"]) == 20 and {(e["status"], e["code"]) for e in report["errors"]} == {(401, "APIGW.0301")}
    assert w.sim.statistics()["requests"] == 1 and all("clock" not in e["message"].split("credential")[0] for e in report["errors"])


@case
def a_wrong_secret_key_of_temporary_ones_is_refused_and_no_token_is_said(w):
    simple(w)
    temporary(w)
    w.secret(sk="a-wrong-one")
    assert refused(w)["status"] == 401


@case
def an_access_key_that_nobody_has_is_refused(w):
    simple(w)
    w.secret(ak="NOBODYSKEY")
    assert refused(w, "ak not exist")["status"] == 401


@case
def a_project_that_is_not_the_users_is_refused(w):
    simple(w)
    w.configure(projectId=OTHER_PROJECT)
    assert refused(w, "projectId")["status"] == 401


def skewed(w, seconds, words):
    simple(w)
    w.sim.config(clockSkewSeconds=seconds)
    error = w.apply().only_error()
    assert (error["status"], error["code"]) == (401, "APIGW.0303"), error
    told = re.search(r"this machine's clock is (\d+) s (ahead of|behind)", error["message"])
    assert told and told.group(2) == words and abs(int(told.group(1)) - 1000) <= 1, error
    assert w.sim.statistics()["requests"] == 1


@case
def a_clock_that_is_behind_is_named_as_the_cause(w):
    skewed(w, 1000, "behind")


@case
def a_clock_that_is_ahead_is_named_as_the_cause(w):
    skewed(w, -1000, "ahead of")


@case
def a_clock_that_is_a_little_off_does_no_harm(w):
    simple(w)
    w.sim.config(clockSkewSeconds=600)
    w.apply().expect(0)
    w.sim.change(IMAGE, tier="drifted")
    w.sim.config(clockSkewSeconds=-600)
    w.sim.change(IMAGE, updated_at=LONG_AGO)
    w.apply().expect(0)


@case
def rest_is_counted_by_the_clouds_clock(w):
    """By this machine's, the image would seem to have been changed long ago."""
    simple(w)
    w.sim.config(clockSkewSeconds=-600)
    w.sim.fault("ListCloudImages", "change-before", times=-1, change={"rival": "again"})
    held, = w.apply().expect(2).json["changes"]
    assert "somebody else is changing" in held["reason"] and w.patches() == []


# --- tokens ---


@case
def one_login_for_a_whole_round(w):
    w.sim.generate_cloud_images(12)
    by_password(w, pageSize=5)
    w.spec(selector={"name": "image-*"}, extra={"tier": "golden"})
    report = w.apply().expect(0).json
    login, = tokens(w)
    assert w.sim.requests()[0] == login and login["query"] == "nocatalog=true" and login["body"]["auth"]["scope"] == {
        "project": {"name": simulator.PROJECT_NAME}}
    assert {r["by"] for r in w.sim.requests()[1:]} == {"token"} and len(w.patches()) == 12
    assert report["summary"]["requests"] == len(w.sim.requests())


@case
def a_project_id_is_what_the_token_is_asked_for(w):
    simple(w)
    by_password(w, projectId=PROJECT, region=None)
    w.apply().expect(0)
    assert tokens(w)[0]["body"]["auth"]["scope"] == {"project": {"id": PROJECT}} and w.updates() == 1


@case
def the_project_of_the_region_is_the_one_that_is_listed(w):
    w.sim.add_user(projects=((OTHER_PROJECT, "eu-west-101"), (PROJECT, simulator.PROJECT_NAME)))
    w.image(1)
    w.image(2, owner=OTHER_PROJECT)
    by_password(w, region="eu-west-101")
    w.spec(selector={"name": "image *"}, extra={"tier": "golden"})
    assert [c["target"] for c in w.apply().expect(0).json["changes"]] == [cloud_image_id(2)]


@case
def tokens_of_any_size_are_borne(w):
    simple(w)
    for size in (16, 6000, 12000):
        w.sim.config(tokenBytes=size)
        by_password(w)
        w.apply().expect(0)
        w.sim.change(IMAGE, tier="drifted", updated_at=LONG_AGO)


@case
def one_login_for_many_rounds_of_the_daemon(w):
    simple(w)
    by_password(w)
    w.daemon()
    eventually(lambda: len(w.sim.requests("ListCloudImages")) >= 6, "five rounds")
    assert len(tokens(w)) == 1 and w.updates() == 1


@case
def a_token_is_renewed_before_its_end(w):
    w.sim.config(tokenSeconds=8)
    simple(w)
    by_password(w)
    d = w.daemon()
    eventually(lambda: len(tokens(w)) >= 2, "the second login")
    count = len(w.sim.requests("ListCloudImages"))
    eventually(lambda: len(w.sim.requests("ListCloudImages")) >= count + 2, "two more rounds")
    assert {r["status"] for r in w.sim.requests()} == {200, 201} and not any("error" in line for line in d.lines), d.lines


@case
def a_token_that_is_short_lived_is_not_asked_for_all_the_time(w):
    w.sim.config(tokenSeconds=60)
    w.sim.generate_cloud_images(20)
    by_password(w)
    w.spec(selector={"name": "image-*"}, extra={"tier": "golden"})
    w.apply().expect(0)
    assert len(tokens(w)) == 1


@case
def a_token_that_is_revoked_in_mid_run_is_renewed_and_the_request_repeated(w):
    simple(w)
    by_password(w)
    d = w.daemon()
    d.wait_message("1 of 1 objects in sync")
    w.sim.revoke_tokens()
    eventually(lambda: len(tokens(w)) == 2, "the second login")
    w.sim.change(IMAGE, tier="drifted")
    d.wait_line('"drifted" -> "golden"')
    assert len(tokens(w)) == 2 and len([r for r in w.sim.requests() if r["status"] == 401]) == 1
    assert not any("error" in line for line in d.lines), d.lines


@case
def a_write_whose_token_is_refused_is_sent_once_more(w):
    for status, code in ((401, "APIGW.0301"), (401, "APIG.0307"), (400, "IMG.0030"), (400, "IMG.0067"), (400, "IMG.0087")):
        w.sim.reset()
        simple(w)
        by_password(w)
        w.sim.fault("UpdateCloudImage", "status", status=status, code=code, message="The token must be updated")
        w.apply().expect(0)
        assert len(tokens(w)) == 2 and [p["status"] for p in w.patches()] == [status, 200] and w.updates() == 1, code


@case
def requests_that_are_refused_together_log_in_once(w):
    w.sim.generate_cloud_images(5)
    by_password(w)
    w.spec(selector={"name": "image-*"}, extra={"tier": "golden"})
    for target in w.sim.cloud_images():
        w.sim.fault("ListCloudImages", "status", status=401, code="APIGW.0301", target=target, ms=2000)
    w.apply().expect(0)
    assert len(tokens(w)) == 2 and len(w.patches()) == 5


@case
def a_token_that_is_refused_again_ends_it(w):
    for operation in ("ListCloudImages", "UpdateCloudImage"):
        w.sim.reset()
        simple(w)
        by_password(w)
        w.sim.fault(operation, "status", status=401, code="APIGW.0301", message="no such token", times=-1)
        error = w.apply().only_error()
        assert (error["status"], error["code"]) == (401, "APIGW.0301") and "no such token" in error["message"], error
        assert len(tokens(w)) == 2 and len([r for r in w.sim.requests(operation) if r["status"] == 401]) == 2


@case
def tokens_that_are_refused_for_every_image_do_not_make_a_login_for_each(w):
    w.sim.generate_cloud_images(30)
    by_password(w, maxConcurrency=1)
    w.spec(selector={"name": "image-*"}, extra={"tier": "golden"})
    w.sim.fault("UpdateCloudImage", "status", status=401, code="APIGW.0301", message="no such token", times=-1)
    report = w.apply().expect(1).json
    assert {c["outcome"] for c in report["changes"]} == {"failed"} and w.sim.statistics()["applied"] == 0
    assert len(tokens(w)) <= 5, "%d logins for 30 images" % len(tokens(w))


# --- logins that fail ---


@case
def a_wrong_password_is_refused_and_asked_with_once(w):
    simple(w, 20)
    w.secret(password="a-wrong-one")
    by_password(w)
    result = w.apply().expect(1)
    check_no_secrets(result.out, result.err)
    assert len(result.json["errors"]) == 20 and {e["status"] for e in result.json["errors"]} == {401}
    assert all("The username or password is wrong" in e["message"] and w.sim.endpoint in e["message"] and simulator.HUAWEI_USER in e["message"]
               for e in result.json["errors"]), result.json["errors"][0]
    assert len(tokens(w)) == 1 and w.sim.statistics()["requests"] == 1


def login_refused(w, words, **settings):
    simple(w)
    by_password(w, **settings)
    error = refused(w, words)
    assert error["status"] == 401 and error["opcRequestId"] in {r["opcRequestId"] for r in tokens(w)}, error
    assert w.sim.requests("ListCloudImages") == []


@case
def a_user_that_nobody_knows_is_refused(w):
    login_refused(w, "username or password", user="nobody")


@case
def a_domain_that_is_not_the_users_is_refused(w):
    login_refused(w, "username or password", domain="elsewhere")


@case
def a_region_without_a_project_is_refused(w):
    login_refused(w, "no access to the project", region="eu-west-101")


@case
def a_project_id_that_is_not_the_users_is_refused(w):
    login_refused(w, "no access to the project", projectId=OTHER_PROJECT)


@case
def an_iam_that_fails_for_a_moment_is_asked_again(w):
    for fault, parameters in (("status", {"status": 503}), ("status", {"status": 429, "code": "APIGW.0308"}), ("close-before", {}),
                              ("process-then-close", {}), ("invalid-json", {}), ("truncate", {}), ("wrong-json", {"body": {"token": 7}})):
        w.sim.reset()
        simple(w)
        by_password(w)
        w.sim.fault("CreateToken", fault, **parameters)
        w.apply().expect(0)
        assert len(tokens(w)) == 2 and w.updates() == 1, (fault, parameters, len(tokens(w)))


@case
def an_iam_that_is_down_is_told_and_ims_is_not_asked(w):
    simple(w, 12)
    by_password(w)
    w.sim.fault("CreateToken", "status", status=503, times=-1)
    report = w.apply().expect(1).json
    assert {e["status"] for e in report["errors"]} == {503} and len(report["errors"]) == 12
    assert all("logging in at " + w.sim.endpoint in e["message"] and "tried 5 times" in e["message"] for e in report["errors"])
    assert len(tokens(w)) == 5 and w.sim.requests("ListCloudImages") == []
    by_password(w, iamEndpoint="https://127.0.0.1:9")
    report = w.apply().expect(1).json
    assert {(e["status"], e["code"]) for e in report["errors"]} == {(None, "ConnectFailed")} and w.sim.requests("ListCloudImages") == []


@case
def an_iam_that_answers_nonsense_is_told(w):
    for body in ("<html>welcome</html>", {"token": {"expires_at": "2099-01-01T00:00:00Z"}}, {"token": {"project": {"id": OTHER_PROJECT}}}, {}):
        w.sim.reset()
        simple(w)
        by_password(w, projectId=PROJECT)
        w.sim.fault("CreateToken", "wrong-json", body=body, times=-1)
        error = w.apply().only_error()
        assert "logging in at" in error["message"] and w.sim.requests("ListCloudImages") == [], (body, error)
        assert len(tokens(w)) <= 5


@case
def a_login_is_never_redirected(w):
    with w.other_simulator() as other:
        simple(w)
        by_password(w)
        w.sim.fault("CreateToken", "redirect", location=other.endpoint + "/v3/auth/tokens", status=307, times=-1)
        error = refused(w, "redirect to 127.0.0.1")
        assert error["status"] == 307 and other.statistics()["requests"] == 0


@case
def an_account_that_cannot_log_in_does_not_keep_another_from_its_work(w):
    simple(w)
    w.secret(other="a-wrong-one")
    w.configure(account=w.account("other", auth="password", passwordFile="./other"))
    w.spec("theirs", target=cloud_image_id(2), account="other", min_ram=4)
    report = w.apply().expect(1).json
    assert [(e["name"], e["account"], e["status"]) for e in report["errors"]] == [("theirs", "other", 401)] and w.updates() == 1


@case
def a_refused_login_is_left_alone_for_a_while_and_read_anew_on_reload(w):
    """A password that is wrong too often may be locked."""
    simple(w)
    by_password(w)
    d = w.daemon()
    d.wait_message("1 of 1 objects in sync")
    w.sim.add_user(password="Another-1")
    n = d.wait_line("The username or password is wrong")
    before = len(d.messages)
    eventually(lambda: sum("1 Failed" in m for m in d.messages[before:]) >= 4, "four more rounds")
    assert [r["status"] for r in tokens(w)] == [201, 401, 401]  # the second one with what the file said by then
    w.secret(password="Another-1")
    w.sim.change(IMAGE, tier="drifted")
    d.signal(signal.SIGHUP)
    d.wait_line('"drifted" -> "golden"', n)
    assert [r["status"] for r in tokens(w)] == [201, 401, 401, 201]
    check_no_secrets("\n".join(d.lines))


@case
def an_access_key_that_was_changed_is_read_anew(w):
    simple(w)
    temporary(w)
    d = w.daemon()
    d.wait_message("1 of 1 objects in sync")
    w.sim.remove_access_key("TEMPORARYKEY")
    n = d.wait_line("ak not exist")
    w.sim.add_access_key("TEMPORARYKEY", "the-next-secret", security_token="the-next-token")
    w.secret(sk="the-next-secret", st="the-next-token")
    w.sim.change(IMAGE, tier="drifted")
    d.wait_line('"drifted" -> "golden"', n)
    check_no_secrets("\n".join(d.lines))


@case
def secrets_are_never_said(w):
    simple(w)
    by_password(w)
    w.sim.fault("UpdateCloudImage", "status", status=400, code="IMG.0001", message="bad")
    d = w.daemon()
    d.wait_line("IMG.0001")
    w.sim.fault("ListCloudImages", "status", status=401, code="APIGW.0301", message="decrypt token fail", times=-1)
    d.wait_line("decrypt token fail")
    with open("/proc/%d/cmdline" % d.process.pid) as f:
        check_no_secrets("\n".join(d.lines), "\n".join(d.messages), f.read())


# --- the files ---


def file_refused(w, name, *words):
    error = refused(w, *words)
    assert name in error["message"] and w.sim.statistics()["requests"] == 0, error


@case
def secret_files_that_the_world_can_read_are_refused(w):
    simple(w)
    for auth, names in (("accessKey", ("ak", "sk")), ("password", ("password",))):
        w.configure(auth=auth)
        for name in names:
            path = os.path.join(w.folder, name)
            for mode, words in ((0o604, "0604 lets everybody read"), (0o622, "0622 lets")):
                os.chmod(path, mode)
                file_refused(w, "/" + name, words, "chmod")
            os.chmod(path, 0o600)
        w.plan().expect(2)
        w.sim.reset()
        w.image(1)


@case
def secret_files_of_another_content_are_refused(w):
    simple(w)
    path = os.path.join(w.folder, "sk")
    for text, words in (("", "is empty"), ("\n", "must hold one line"), ("one\ntwo\n", "must hold one line"), ("x" * 5000, "/sk"),
                        ("a b", "white space")):
        simulator.write_private(path, text)
        file_refused(w, "", words)
    os.unlink(path)
    file_refused(w, "secretKeyFile", "does not exist")
    os.mkdir(path)
    file_refused(w, "secretKeyFile", "directory")


@case
def a_line_feed_at_the_end_is_no_part_of_a_secret(w):
    simple(w)
    for end in ("", "\n", "\r\n", " \n"):
        simulator.write_private(os.path.join(w.folder, "sk"), simulator.SECRET_KEY + end)
        w.plan().expect(2)


@case
def a_bare_name_is_a_systemd_credential(w):
    simple(w)
    credentials = os.path.join(w.folder, "credentials")
    os.mkdir(credentials)
    for name in ("ak", "sk", "password"):
        os.rename(os.path.join(w.folder, name), os.path.join(credentials, name))
    for auth, names in (("accessKey", {"accessKeyFile": "ak", "secretKeyFile": "sk"}), ("password", {"passwordFile": "password"})):
        w.configure(auth=auth, **names)
        assert "CREDENTIALS_DIRECTORY is not set" in w.plan().only_error()["message"]
        assert w.run("plan", CREDENTIALS_DIRECTORY=credentials).expect(2).err == ""
    w.run("apply", CREDENTIALS_DIRECTORY=credentials).expect(0)
    assert w.updates() == 1


@case
def without_a_region_the_endpoints_must_be_said(w):
    simple(w)
    w.configure(endpoint=None)
    assert 'type: ims needs "region" or "endpoint"' in w.plan().expect(1).err
    by_password(w, region=None)
    assert "no project" in w.plan().only_error()["message"]
    by_password(w, region=None, projectId=PROJECT, iamEndpoint=None)
    assert "iamEndpoint" in w.plan().only_error()["message"] and w.sim.statistics()["requests"] == 0


# --- the configuration ---

KEYS = "accessKeyFile: ./ak, secretKeyFile: ./sk"
USER = "user: u, domain: d, passwordFile: ./p"
BAD_ACCOUNTS = [  # what is said of the account, and all that is found
    ("region: r", ["5: error: auth: accessKey needs \"projectId\": ", "5: error: auth: accessKey needs \"accessKeyFile\": ",
                   "5: error: auth: accessKey needs \"secretKeyFile\": "]),
    ("region: r, " + KEYS, ["5: error: auth: accessKey needs \"projectId\": id of the project in that region"]),
    ("auth: password, region: r", ["5: error: auth: password needs \"user\": ", "5: error: auth: password needs \"domain\": ",
                                   "5: error: auth: password needs \"passwordFile\": "]),
    ("auth: password, region: r, %s, accessKeyFile: ./ak, securityTokenFile: ./st" % USER,
     ["92: error: accessKeyFile goes with auth: accessKey, and this is password",
      "113: error: securityTokenFile goes with auth: accessKey, and this is password"]),
    ("projectId: p, %s, %s, iamEndpoint: \"https://iam.example\"" % (KEYS, USER),
     ["82: error: user goes with auth: password, and this is accessKey", "91: error: domain goes with", "102: error: passwordFile goes with",
      "121: error: iamEndpoint goes with"]),
    ("projectId: p, auth: apiKey, " + KEYS, ["46: error: auth must be accessKey or password, not \"apiKey\""]),
    ("projectId: p, %s, keyFile: ./k" % KEYS, ["82: error: unknown key \"keyFile\" in an account"]),
    ("projectId: p, %s, region: evil.example/" % KEYS, ["90: error: region: takes lower-case letters, digits and -"]),
    ("projectId: p, %s, region: CN-NORTH-4" % KEYS, ["90: error: region: takes lower-case letters, digits and -"]),
    ("auth: password, region: r, %s, iamEndpoint: \"http://iam.example\"" % USER, ["105: error: iamEndpoint: http:// is for this machine alone"]),
    ("projectId: p, %s, endpoint: \"http://ims.example\"" % KEYS, ["92: error: endpoint: http:// is for this machine alone"]),
    ("projectId: p, %s, endpoint: \"https://ims.example/v2\"" % KEYS, ["92: error: endpoint: \"https://ims.example/v2\" must end with the host"]),
    ("projectId: p, %s, pageSize: 1001" % KEYS, ["92: error: pageSize must be auto or 1 to 1000"]),
    ("projectId: p, %s, projectId: q" % KEYS, ["\"projectId\""]),
    ("projectId: p, accessKey: AK, secretKeyFile: ./sk", ["40: error: unknown key \"accessKey\" in an account; did you mean \"accessKeyFile\"?"]),
]


@case
def accounts_that_are_wrong_are_told_with_their_places(w):
    simple(w)
    for settings, words in BAD_ACCOUNTS:
        place = "" if "region:" in settings or "endpoint:" in settings else ", region: r"
        w.configure(accounts="accounts:\n  - {name: a, type: ims, %s%s}\n" % (settings, place))
        told = w.run("validate").expect(1).err
        found = [line for line in told.splitlines() if ": error: " in line and line.startswith(w.config_file)]
        assert len(found) == len(words), (settings, told)
        for line, word in zip(found, words):
            assert word in line and ".yaml:4:" in line, (word, line)
    assert w.sim.statistics()["requests"] == 0


if __name__ == "__main__":
    run(workers=8, world=ImsWorld)
