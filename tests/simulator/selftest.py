#!/usr/bin/python3
"""Self-test of the cloud simulator, with a request signer of its own. Prints TAP."""
import base64
import calendar
import email.utils
import hashlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "harness"))

import sim as harness  # noqa: E402

COMPARTMENT = harness.COMPARTMENT
OTHER = "ocid1.compartment.oc1..aaaaaaaaother"
BASE = "/20160918"
IMAGES = BASE + "/images"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


# ---- the signer --------------------------------------------------------------------------------------------------

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


class Key:
    """An RSA private key out of a PKCS#1 PEM file."""

    def __init__(self, path):
        with open(path) as file:
            lines = [line.strip() for line in file if ":" not in line]
        start = lines.index("-----BEGIN RSA PRIVATE KEY-----")
        end = lines.index("-----END RSA PRIVATE KEY-----")
        der = base64.b64decode("".join(lines[start + 1:end]))
        _, self.modulus, _, self.exponent = self._integers(der)[:4]
        self.size = (self.modulus.bit_length() + 7) // 8

    @staticmethod
    def _integers(der):
        def length_at(at):
            if der[at] < 0x80:
                return der[at], at + 1
            count = der[at] & 0x7f
            return int.from_bytes(der[at + 1:at + 1 + count], "big"), at + 1 + count

        found, (_, at) = [], length_at(1)
        while at < len(der):
            length, at = length_at(at + 1)
            found.append(int.from_bytes(der[at:at + length], "big"))
            at += length
        return found

    def sign(self, text):
        info = SHA256_PREFIX + hashlib.sha256(text).digest()
        padded = b"\0\1" + b"\xff" * (self.size - len(info) - 3) + b"\0" + info
        number = pow(int.from_bytes(padded, "big"), self.exponent, self.modulus)
        return base64.b64encode(number.to_bytes(self.size, "big")).decode()


def rfc1123(when):
    return email.utils.formatdate(when, usegmt=True)


def digest(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


class Signer:
    def __init__(self, key):
        self.key = key
        self.skew = 0

    def headers(self, host, method, target, body=None, change=None, names=None, signed_target=None, key=None,
                parameters=None, form='Signature version="{version}",keyId="{keyId}",algorithm="{algorithm}",'
                                      'headers="{headers}",signature="{signature}"'):
        """A list of (name, value). `change` alters header values before signing (None removes one)."""
        sent = {"date": rfc1123(time.time() + self.skew), "host": host}
        order = ["date", "(request-target)", "host"]
        if method in ("PUT", "POST", "PATCH"):
            body = body or b""
            sent.update({"content-length": str(len(body)), "content-type": "application/json",
                         "x-content-sha256": digest(body)})
            order += ["content-length", "content-type", "x-content-sha256"]
        for name, value in (change or {}).items():
            sent[name] = value
        sent = {name: value for name, value in sent.items() if value is not None}
        order = names if names is not None else order
        lines = []
        for name in order:
            if name == "(request-target)":
                lines.append("%s: %s" % (name, signed_target or "%s %s" % (method.lower(), target)))
            else:
                lines.append("%s: %s" % (name, sent.get(name.lower(), "")))
        values = {"version": "1", "keyId": harness.KEY_ID, "algorithm": "rsa-sha256", "headers": " ".join(order),
                  "signature": (key or self.key).sign("\n".join(lines).encode())}
        values.update(parameters or {})
        return list(sent.items()) + [("authorization", form.format(**values))]


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]

    @property
    def etag(self):
        return self.headers.get("etag")

    @property
    def next(self):
        return self.headers.get("opc-next-page")


class Client:
    """Sends exactly the headers it is told to, over one kept connection."""

    def __init__(self, sim, signer, timeout=60):
        where = urllib.parse.urlsplit(sim.endpoint)
        self.host = where.netloc
        self.signer = signer
        if where.scheme == "https":
            context = ssl.create_default_context(cafile=sim.ca_file)
            self.connection = http.client.HTTPSConnection(where.hostname, where.port, context=context, timeout=timeout)
        else:
            self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)

    def send(self, method, target, headers, body=None):
        try:
            self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                self.connection.putheader(name, value)
            self.connection.endheaders(body)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except BaseException:
            self.connection.close()
            raise

    def call(self, method, target, body=None, extra=(), host=None, **signing):
        """A signed request; `extra` headers travel unsigned."""
        headers = self.signer.headers(host or self.host, method, target, body, **signing)
        return self.send(method, target, headers + list(extra), body)

    def get(self, target, **more):
        return self.call("GET", target, **more)

    def image(self, image_id):
        return self.get("%s/%s" % (IMAGES, image_id))

    def list(self, compartment=COMPARTMENT, collection="images", **query):
        query = dict(query, compartmentId=compartment)
        return self.get("%s/%s?%s" % (BASE, collection, urllib.parse.urlencode(query, quote_via=urllib.parse.quote,
                                                                               safe="")))

    def walk(self, **query):
        """All pages; returns a list of lists of ids."""
        pages, answer = [], self.list(**query)
        while True:
            equal(answer.status, 200)
            pages.append([item["id"] for item in answer.json])
            if answer.next is None:
                return pages
            answer = self.list(page=answer.next, **query)

    @staticmethod
    def path(ocid):
        return "%s/%s/%s" % (BASE, harness.collection_of(ocid), ocid)

    def read(self, ocid):
        return self.get(self.path(ocid))

    def ids(self, collection, **query):
        return sum(self.walk(collection=collection, **query), [])

    def create(self, volume, token=None, **members):
        collection = harness.collection_of(volume)
        body = dict(members, **{collection[:-1] + "Id": volume})
        return self.post(collection[:-1] + "Backups", body, token)

    def post(self, collection, body, token=None, extra=()):
        extra = list(extra) + ([("opc-retry-token", token)] if token is not None else [])
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("POST", "%s/%s" % (BASE, collection), raw, extra)

    def put(self, ocid, body, etag=None, extra=()):
        extra = list(extra) + ([("if-match", etag)] if etag is not None else [])
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("PUT", self.path(ocid), raw, extra)

    def delete(self, ocid, etag=None, extra=()):
        extra = list(extra) + ([("if-match", etag)] if etag is not None else [])
        return self.call("DELETE", self.path(ocid), extra=extra)

    def update(self, image_id, body, etag=None, token=None, **more):
        extra = [("if-match", etag)] if etag is not None else []
        extra += [("opc-retry-token", token)] if token is not None else []
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("PUT", "%s/%s" % (IMAGES, image_id), raw, extra, **more)


# ---- checks ------------------------------------------------------------------------------------------------------

def equal(got, wanted):
    if got != wanted:
        raise AssertionError("got %r, wanted %r" % (got, wanted))


def error(answer, status, code, text=""):
    equal((answer.status, answer.code), (status, code))
    equal(answer.headers["content-type"], "application/json")
    if text not in answer.json["message"]:
        raise AssertionError("%r is not in %r" % (text, answer.json["message"]))


def raises(kinds, function, *arguments, **named):
    try:
        result = function(*arguments, **named)
    except kinds as caught:
        return caught
    raise AssertionError("no exception, but %r" % (result,))


# ---- signatures --------------------------------------------------------------------------------------------------

@test
def signer_reproduces_the_vectors(sim, client):
    with open(harness.vectors("oci-signing.json")) as file:
        cases = json.load(file)["cases"]
    keys = {"oci-published-test-key.pem": "oci-published-test-key.pem",
            "oci-test-key.pem": "oci-test-key-pkcs1.pem", "oci-test-key-pkcs1.pem": "oci-test-key-pkcs1.pem"}
    done = 0
    for case in cases:
        if case["private_key_file"] in keys:
            key = Key(harness.vectors(keys[case["private_key_file"]]))
            equal(key.sign(case["signing_string"].encode()), case["signature"])
            done += 1
    equal(done > 5, True)


@test
def good_signature_is_accepted(sim, client):
    image_id = sim.generate(1)[0]
    answer = client.image(image_id)
    equal(answer.status, 200)
    equal(answer.json["id"], image_id)
    equal(answer.headers["content-type"], "application/json")
    equal(len(answer.headers["opc-request-id"]) > 10, True)
    equal(abs(calendar.timegm(email.utils.parsedate(answer.headers["date"])) - time.time()) < 60, True)


@test
def good_variants_are_accepted(sim, client):
    target = "%s/%s" % (IMAGES, sim.generate(1)[0])
    good = [
        dict(form='Signature signature="{signature}",headers="{headers}",algorithm="{algorithm}",version="{version}",'
                  'keyId="{keyId}"'),
        dict(form='Signature version="{version}", keyId="{keyId}", algorithm="{algorithm}", headers="{headers}", '
                  'signature="{signature}"'),
        dict(names=["host", "date", "(request-target)"]),
        dict(names=["x-date", "(request-target)", "host"], change={"date": None, "x-date": rfc1123(time.time())}),
        dict(names=["x-date", "(request-target)", "host"], change={"date": "whatever", "x-date": rfc1123(time.time())}),
        dict(names=["date", "(request-target)", "host", "accept"], change={"accept": "application/json"}),
        dict(change={"date": rfc1123(time.time() - 290)}),
        dict(change={"date": rfc1123(time.time() + 290)}),
    ]
    for variant in good:
        equal((variant, client.get(target, **variant).status), (variant, 200))
    port = urllib.parse.urlsplit(sim.endpoint).port
    equal(client.get(target, host="localhost:%d" % port).status, 200)


@test
def broken_signatures_are_refused(sim, client):
    target = "%s/%s" % (IMAGES, sim.generate(1)[0])
    published = Key(harness.vectors("oci-published-test-key.pem"))
    now = time.time()
    wrong_day = rfc1123(now + 86400)[:3] + rfc1123(now)[3:]
    bad = [
        (dict(parameters={"version": "2"}), "version"),
        (dict(parameters={"algorithm": "rsa-sha1"}), "algorithm"),
        (dict(parameters={"algorithm": "hs2019"}), "algorithm"),
        (dict(parameters={"keyId": "ocid1.tenancy.oc1..other/x/y"}), "keyId"),
        (dict(parameters={"signature": "AAAA"}), "does not match"),
        (dict(parameters={"signature": "not base64"}), "Base64"),
        (dict(parameters={"signature": ""}), "Base64"),
        (dict(key=published), "does not match"),
        (dict(names=["(request-target)", "host"]), "date"),
        (dict(names=["date", "host"]), "request-target"),
        (dict(names=["date", "(request-target)"]), "host"),
        (dict(names=["date", "(request-target)", "host", "date"]), "malformed"),
        (dict(names=["Date", "(request-target)", "host"]), "malformed"),
        (dict(names=["date", "(request-target)", "host", "accept"]), "comes 0 times"),
        (dict(parameters={"headers": "date (request-target)  host"}), "malformed"),
        (dict(parameters={"headers": ""}), "malformed"),
        (dict(parameters={"headers": "date host (request-target)"}), "does not match"),
        (dict(change={"x-date": rfc1123(now)}), "x-date"),
        (dict(signed_target="GET " + target), "does not match"),
        (dict(signed_target="get " + target + "?a=b"), "does not match"),
        (dict(change={"date": rfc1123(now - 310)}), "allowed window"),
        (dict(change={"date": rfc1123(now + 310)}), "allowed window"),
        (dict(change={"date": wrong_day}), "RFC 1123"),
        (dict(change={"date": rfc1123(now).replace("GMT", "UTC")}), "RFC 1123"),
        (dict(change={"date": rfc1123(now).replace("GMT", "+0000")}), "RFC 1123"),
        (dict(change={"date": time.strftime("%A, %d-%b-%y %H:%M:%S GMT", time.gmtime(now))}), "RFC 1123"),
        (dict(change={"date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))}), "RFC 1123"),
        (dict(host="iaas.us-phoenix-1.oraclecloud.com"), "not this service"),
        (dict(host="127.0.0.1"), "not this service"),
        (dict(form="Bearer abc"), "scheme"),
        (dict(form='signature version="{version}"'), "scheme"),
        (dict(form='Signature version="{version}",keyId="{keyId}",headers="{headers}",signature="{signature}"'),
         "lacks algorithm"),
        (dict(form='Signature keyId="{keyId}",algorithm="{algorithm}",headers="{headers}",signature="{signature}"'),
         "lacks version"),
        (dict(form='Signature version="{version}",keyId="{keyId}",algorithm="{algorithm}",headers="{headers}",'
                   'signature="{signature}",created="1"'), "malformed"),
        (dict(form='Signature version="{version}",version="1",keyId="{keyId}",algorithm="{algorithm}",'
                   'headers="{headers}",signature="{signature}"'), "malformed"),
        (dict(form='Signature version="{version}",keyId="{keyId}",algorithm="{algorithm}",headers="{headers}",'
                   'signature="{signature}",'), "malformed"),
        (dict(form="Signature version={version}"), "malformed"),
    ]
    for variant, text in bad:
        try:
            error(client.get(target, **variant), 401, "NotAuthenticated", text)
        except AssertionError as why:
            raise AssertionError("%r: %s" % (variant, why)) from None
    headers = client.signer.headers(client.host, "GET", target)
    error(client.send("GET", target, headers[:-1]), 401, "NotAuthenticated", "0 times")
    error(client.send("GET", target, headers + headers[-1:]), 401, "NotAuthenticated", "2 times")
    error(client.send("GET", target, headers + headers[:1]), 401, "NotAuthenticated", "comes 2 times")
    error(client.send("GET", target + "x", headers), 401, "NotAuthenticated", "does not match")


@test
def request_target_is_the_raw_one(sim, client):
    sim.add_compartment()
    raw = IMAGES + "?compartmentId=%s&displayName=%%E2%%98%%83%%20x%%2f" % COMPARTMENT
    equal(client.get(raw).status, 200)
    error(client.get(raw, signed_target="get " + urllib.parse.unquote(raw).encode().decode("latin-1")),
          401, "NotAuthenticated", "does not match")
    error(client.get(raw, signed_target="get " + raw.replace("%2f", "%2F")), 401, "NotAuthenticated", "does not match")


@test
def broken_write_signatures_are_refused(sim, client):
    image_id = sim.generate(1)[0]
    target, body = "%s/%s" % (IMAGES, image_id), b'{"displayName":"new"}'
    names = ["date", "(request-target)", "host", "content-length", "content-type", "x-content-sha256"]
    bad = [(dict(names=[n for n in names if n != name]), name) for name in names[3:]]
    bad += [
        (dict(change={"content-type": "application/json; charset=utf-8"}), "content-type"),
        (dict(change={"content-type": "text/plain"}), "content-type"),
        (dict(change={"x-content-sha256": digest(b"other")}), "x-content-sha256"),
        (dict(change={"x-content-sha256": digest(body).rstrip("=")}), "x-content-sha256"),
        (dict(change={"x-content-sha256": hashlib.sha256(body).hexdigest()}), "x-content-sha256"),
        (dict(change={"content-length": "0%d" % len(body)}), "content-length"),
    ]
    for variant, text in bad:
        try:
            error(client.call("PUT", target, body, **variant), 401, "NotAuthenticated", text)
        except AssertionError as why:
            raise AssertionError("%r: %s" % (variant, why)) from None
    headers = client.signer.headers(client.host, "PUT", target, body)
    error(client.send("PUT", target, headers, b'{"displayName":"NEW"}'), 401, "NotAuthenticated", "x-content-sha256")
    chunked = [h for h in headers if h[0] != "content-length"] + [("transfer-encoding", "chunked")]
    error(client.send("PUT", target, chunked, b"15\r\n" + body + b"\r\n0\r\n\r\n"), 401, "NotAuthenticated",
          "Transfer-Encoding")
    equal(sim.image(image_id)["updates"], 0)
    equal(client.call("PUT", target, body).status, 200)
    equal(sim.image(image_id)["updates"], 1)


@test
def clock_skew_moves_window_and_date(sim, client):
    target = "%s/%s" % (IMAGES, sim.generate(1)[0])
    sim.config(clockSkewSeconds=7200)
    answer = client.get(target)
    error(answer, 401, "NotAuthenticated", "Current allowed window is from")
    server = calendar.timegm(email.utils.parsedate(answer.headers["date"]))
    equal(abs(server - time.time() - 7200) < 60, True)
    equal(client.get(target, change={"date": rfc1123(time.time() + 7200)}).status, 200)


@test
def routes(sim, client):
    image_id = sim.generate(1)[0]
    error(client.get("/20160918/nothing"), 404, "NotFound")
    error(client.get("/images"), 404, "NotFound")
    error(client.get(IMAGES + "/"), 404, "NotFound")
    error(client.get(IMAGES + "/" + image_id + "/x"), 404, "NotFound")
    error(client.call("DELETE", IMAGES + "/" + image_id), 405, "MethodNotAllowed")
    error(client.call("POST", IMAGES, b"{}"), 405, "MethodNotAllowed")
    error(client.get(IMAGES + "/" + image_id + "?a=b"), 400, "InvalidParameter")
    error(client.image("ocid1.image.oc1.phx.none"), 404, "NotAuthorizedOrNotFound")
    equal(client.get(IMAGES + "/" + image_id.replace("ocid1.", "ocid1%2E")).status, 200)
    error(client.get(IMAGES + "/" + image_id, extra=[("opc-request-id", "bad id!")]), 400, "InvalidParameter")
    answer = client.get(IMAGES + "/" + image_id, extra=[("opc-request-id", "my-id_1.x")])
    equal(answer.headers["opc-request-id"].startswith("my-id_1.x"), True)


# ---- lists -------------------------------------------------------------------------------------------------------

@test
def list_parameters(sim, client):
    sim.generate(3)
    error(client.get(IMAGES), 400, "MissingParameter")
    error(client.list(tag="x"), 400, "InvalidParameter", "tag")
    error(client.list(limit=0), 400, "InvalidParameter", "limit")
    error(client.list(limit=1001), 400, "InvalidParameter", "limit")
    error(client.list(limit="x"), 400, "InvalidParameter", "limit")
    error(client.list(displayName=""), 400, "InvalidParameter")
    error(client.list(lifecycleState="GONE"), 400, "InvalidParameter")
    error(client.list(sortBy="name"), 400, "InvalidParameter")
    error(client.list(sortOrder="asc"), 400, "InvalidParameter")
    error(client.get(IMAGES + "?compartmentId=a&compartmentId=a"), 400, "InvalidParameter", "twice")
    error(client.get(IMAGES + "?compartmentId=%zz"), 400, "InvalidParameter", "malformed")
    error(client.get(IMAGES + "?compartmentId=a%0"), 400, "InvalidParameter", "malformed")
    error(client.get(IMAGES + "?compartmentId=a&"), 400, "InvalidParameter", "malformed")
    error(client.list(OTHER), 404, "NotAuthorizedOrNotFound")
    sim.config(maxLimit=100)
    error(client.list(limit=101), 400, "InvalidParameter", "1 to 100")
    equal(len(client.list(limit=100).json), 3)
    equal(client.list().etag, None)
    equal("etag" in client.list().json[0], False)


@test
def list_filters_and_orders(sim, client):
    sim.add_images([
        {"id": "p", "displayName": "platform", "timeCreated": "2020-01-01T00:00:00.000Z"},
        {"id": "a", "compartmentId": COMPARTMENT, "displayName": "b", "timeCreated": "2026-01-03T00:00:00.000Z"},
        {"id": "b", "compartmentId": COMPARTMENT, "displayName": "A", "timeCreated": "2026-01-02T00:00:00.000Z",
         "operatingSystem": "Ubuntu", "operatingSystemVersion": "24.04"},
        {"id": "c", "compartmentId": COMPARTMENT, "displayName": "a", "lifecycleState": "DELETED",
         "timeCreated": "2026-01-01T00:00:00.000Z"},
        {"id": "d", "compartmentId": OTHER, "displayName": "a"}])

    def ids(**query):
        return "".join(item["id"] for item in client.list(**query).json)

    equal(ids(), "pabc")
    equal(ids(compartment=OTHER), "pd")
    equal(ids(sortBy="TIMECREATED"), "pabc")
    equal(ids(sortBy="TIMECREATED", sortOrder="ASC"), "pcba")
    equal(ids(sortBy="DISPLAYNAME"), "pbca")
    equal(ids(sortBy="DISPLAYNAME", sortOrder="DESC"), "pacb")
    equal(ids(displayName="a"), "c")
    equal(ids(operatingSystem="Ubuntu"), "b")
    equal(ids(operatingSystem="ubuntu"), "")
    equal(ids(operatingSystemVersion="24.04"), "b")
    equal(ids(lifecycleState="deleted"), "c")
    equal(ids(lifecycleState="AVAILABLE"), "pab")
    sim.purge("c")
    sim.hide("a")
    sim.hide("b", listed=True)
    equal(ids(), "pb")
    error(client.image("a"), 404, "NotAuthorizedOrNotFound")
    error(client.image("b"), 404, "NotAuthorizedOrNotFound")
    error(client.image("c"), 404, "NotAuthorizedOrNotFound")
    equal(client.image("p").json["compartmentId"], None)
    sim.hide(OTHER)
    error(client.list(OTHER), 404, "NotAuthorizedOrNotFound")
    error(client.image("d"), 404, "NotAuthorizedOrNotFound")
    sim.show(OTHER)
    sim.show("a")
    equal(client.image("d").status, 200)
    equal(ids(), "pab")


@test
def pages(sim, client):
    ids = sim.generate(25)
    equal([len(page) for page in client.walk(limit=10)], [10, 10, 5])
    equal(sum(client.walk(limit=10), []), ids)
    equal([len(page) for page in client.walk(limit=25)], [25])
    equal([len(page) for page in client.walk()], [25])
    equal(sum(client.walk(limit=7, sortBy="DISPLAYNAME", sortOrder="DESC"), []), ids[::-1])
    sim.config(emptyPages=2)
    equal([len(page) for page in client.walk(limit=20)], [0, 0, 20, 0, 0, 5])
    sim.config(emptyPages=0, emptyLastPage=True)
    equal([len(page) for page in client.walk(limit=20)], [20, 5, 0])
    sim.reset()
    sim.generate(150)
    equal([len(page) for page in client.walk()], [100, 50])


@test
def page_tokens(sim, client):
    sim.generate(25)
    token = client.list(limit=10, operatingSystem="Oracle Linux").next
    equal(all(char in token for char in "+/="), True)
    again = dict(limit=10, operatingSystem="Oracle Linux")
    equal(client.list(page=token, **again).status, 200)
    equal(client.list(page=token, limit=5, operatingSystem="Oracle Linux").status, 200)
    error(client.list(page=token, limit=10), 400, "InvalidParameter", "page token")
    error(client.list(page=token, limit=10, operatingSystem="Ubuntu"), 400, "InvalidParameter", "page token")
    swapped = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
    error(client.list(page=swapped, **again), 400, "InvalidParameter", "page token")
    error(client.list(page="2", **again), 400, "InvalidParameter", "page token")
    error(client.list(page="x" * 4097, **again), 400, "InvalidParameter", "page token")
    unescaped = IMAGES + "?compartmentId=%s&limit=10&operatingSystem=Oracle%%20Linux&page=%s" % (COMPARTMENT, token)
    error(client.get(unescaped), 400, "InvalidParameter", "page token")


# ---- updates -----------------------------------------------------------------------------------------------------

@test
def update_and_etags(sim, client):
    image_id = sim.generate(1)[0]
    before = client.image(image_id)
    answer = client.update(image_id, {"displayName": "new"}, before.etag)
    equal(answer.status, 200)
    equal(answer.json["displayName"], "new")
    equal(answer.json["freeformTags"], before.json["freeformTags"])
    equal(answer.etag != before.etag, True)
    equal(client.image(image_id).etag, answer.etag)
    error(client.update(image_id, {"displayName": "newer"}, before.etag), 412, "NoEtagMatch")
    error(client.update(image_id, {"displayName": "newer"}, '"%s"' % answer.etag), 412, "NoEtagMatch")
    same = client.update(image_id, {"displayName": "new"}, answer.etag)
    equal((same.status, same.etag != answer.etag), (200, True))
    sim.change(image_id, displayName="other")
    error(client.update(image_id, {"displayName": "newer"}, same.etag), 412, "NoEtagMatch")
    equal(client.update(image_id, {"displayName": "newest"}).status, 200)
    state = sim.image(image_id)
    equal((state["updates"], state["version"], state["image"]["displayName"]), (3, 5, "newest"))
    statistics = sim.statistics()
    equal((statistics["applied"], statistics["updatesWithoutIfMatch"]), (3, 1))
    equal(statistics["operations"]["UpdateImage"], {"200": 3, "412": 3})


@test
def update_bodies(sim, client):
    image_id = sim.generate(1)[0]
    for body in (b"", b"{", b"[", b'{"displayName":"a"}x', b'{"displayName":"a","displayName":"b"}',
                 b'{"displayName":"\xff"}', b'{"displayName":"a\nb"}', b'{"displayName":"\\u0000"}',
                 b'{"freeformTags":{"a":"1","a":"2"}}', b'\xef\xbb\xbf{"displayName":"a"}'):
        answer = client.update(image_id, body)
        equal((body, answer.status, answer.code), (body, 400, "CannotParseRequest"))
    for body in ({}, [], "x", {"name": "x"}, {"lifecycleState": "DELETED"}, {"displayName": None},
                 {"displayName": ""}, {"displayName": "x" * 256}, {"displayName": 1}, {"operatingSystem": "x" * 129},
                 {"operatingSystemVersion": ""}, {"freeformTags": []}, {"freeformTags": {"a": 1}},
                 {"freeformTags": {"a b": ""}}, {"freeformTags": {"a.b": ""}}, {"freeformTags": {"": ""}},
                 {"freeformTags": {"\u00e4": ""}}, {"freeformTags": {"k" * 101: ""}},
                 {"freeformTags": {"a": "v" * 257}}, {"freeformTags": {str(n): "" for n in range(11)}},
                 {"definedTags": []}, {"definedTags": {"Ops": "x"}}, {"definedTags": {"Ops": {"k": 1}}},
                 {"definedTags": {"Ops": {"k": "v" * 257}}}, {"definedTags": {"Ops": {"a": "1"}, "ops": {"b": "1"}}},
                 {"definedTags": {"Ops": {"a": "1", "A": "1"}}},
                 {"definedTags": {"Ops": {"k%d" % n: "" for n in range(65)}}},
                 {"definedTags": {"Oracle-Tags": {"CreatedBy": "me"}}}, {"definedTags": {"Oracle-Tags": {"New": "1"}}}):
        answer = client.update(image_id, body)
        equal((body, answer.status, answer.code), (body, 400, "InvalidParameter"))
    error(client.update(image_id, {"definedTags": {"Nowhere": {"a": "b"}}}), 404, "NamespaceNotFound")
    equal(sim.image(image_id)["updates"], 0)
    for body in ({"displayName": "\u2603" * 255}, {"operatingSystem": "x" * 128}, {"freeformTags": {}},
                 {"freeformTags": {"k" * 100: "v" * 256}}, {"definedTags": {}}):
        equal((body, client.update(image_id, body).status), (body, 200))


@test
def update_states(sim, client):
    sim.add_images([{"id": "p", "displayName": "Platform-1"}] +
                   [{"id": state, "compartmentId": COMPARTMENT, "lifecycleState": state}
                    for state in ("PROVISIONING", "IMPORTING", "EXPORTING", "DISABLED", "AVAILABLE")])
    error(client.update("p", {"displayName": "x"}), 404, "NotAuthorizedOrNotFound")
    error(client.update("none", {"displayName": "x"}), 404, "NotAuthorizedOrNotFound")
    for state in ("PROVISIONING", "IMPORTING", "EXPORTING", "DISABLED"):
        error(client.update(state, {"displayName": "x"}), 409, "IncorrectState")
    error(client.update("AVAILABLE", {"displayName": "Platform-1"}), 400, "InvalidParameter", "platform")
    sim.delete("AVAILABLE")
    error(client.update("AVAILABLE", {"displayName": "x"}), 409, "IncorrectState")
    equal(client.image("AVAILABLE").json["lifecycleState"], "DELETED")


@test
def tags(sim, client):
    first, second = sim.generate(2)
    automatic = sim.image(first)["image"]["definedTags"]["Oracle-Tags"]
    answer = client.update(first, {"definedTags": {"ops": {"CostCenter": "42"}, "oracle-tags": automatic}})
    equal(answer.json["definedTags"], {"Ops": {"CostCenter": "42"}, "Oracle-Tags": automatic})
    answer = client.update(second, {"definedTags": {"OPS": {"costcenter": "43"}}})
    equal(answer.json["definedTags"], {"Ops": {"CostCenter": "43"}})
    answer = client.update(second, {"freeformTags": {"only": "this"}})
    equal(answer.json["freeformTags"], {"only": "this"})
    equal(answer.json["definedTags"], {"Ops": {"CostCenter": "43"}})
    sim.config(namespaces=["Mine"])
    equal(client.update(second, {"definedTags": {"mine": {"A": "b"}}}).json["definedTags"], {"Mine": {"A": "b"}})
    error(client.update(second, {"definedTags": {"Ops": {"A": "b"}}}), 404, "NamespaceNotFound")


@test
def retry_tokens(sim, client):
    first, second = sim.generate(2)
    etag = client.image(first).etag
    answer = client.update(first, {"displayName": "new"}, etag, "token-1")
    equal(answer.status, 200)
    again = client.update(first, {"displayName": "new"}, etag, "token-1")
    equal((again.status, again.etag, again.body), (200, answer.etag, answer.body))
    equal(sim.image(first)["updates"], 1)
    error(client.update(first, {"displayName": "newer"}, etag, "token-1"), 400, "InvalidParameter", "retry-token")
    error(client.update(second, {"displayName": "new"}, None, "token-1"), 400, "InvalidParameter", "retry-token")
    equal(sim.statistics()["tokenMisuse"], 2)
    error(client.update(first, {"displayName": "new"}, None, "t" * 65), 400, "InvalidParameter", "65")
    error(client.update(first, {"displayName": "new"}, None, ""), 400, "InvalidParameter", "0 characters")
    error(client.update(second, {"displayName": "x"}, "stale", "token-2"), 412, "NoEtagMatch")
    equal(client.update(second, {"displayName": "x"}, None, "token-2").status, 200)
    sim.config(tokenFirst=False)
    error(client.update(first, {"displayName": "new"}, etag, "token-1"), 412, "NoEtagMatch")
    sim.config(tokenFirst=True)
    client.signer.skew = 24 * 3600 + 1
    sim.config(clockSkewSeconds=24 * 3600 + 1)
    error(client.update(first, {"displayName": "new"}, etag, "token-1"), 412, "NoEtagMatch")
    sim.config(clockSkewSeconds=0)
    client.signer.skew = 0
    sim.purge(second)
    error(client.update(second, {"displayName": "x"}, None, "token-2"), 409, "InvalidatedRetryToken")


@test
def request_log(sim, client):
    image_id = sim.generate(1)[0]
    answer = client.update(image_id, {"displayName": "new"}, None, "token")
    client.list()
    lines = sim.requests()
    equal([line["operation"] for line in lines], ["UpdateImage", "ListImages"])
    line = lines[0]
    wanted = {"n": 1, "method": "PUT", "path": IMAGES + "/" + image_id, "query": "", "target": image_id,
              "status": 200, "code": None, "opcRequestId": answer.headers["opc-request-id"], "ifMatch": None,
              "retryToken": "token", "body": {"displayName": "new"}, "fault": None, "applied": True}
    equal({name: line[name] for name in wanted}, wanted)
    equal((lines[1]["query"], lines[1]["applied"]), ("compartmentId=" + COMPARTMENT, False))
    equal(lines[0]["connection"], lines[1]["connection"])
    equal(len(sim.requests("ListImages")), 1)


# ---- faults ------------------------------------------------------------------------------------------------------

CUT = (http.client.HTTPException, OSError)


@test
def fault_rules(sim, client):
    first, second = sim.generate(2)
    sim.fault("GetImage", "status", status=429, headers={"Retry-After": "2"}, times=2, skip=1, target=second)
    equal([client.image(first).status for _ in range(2)], [200, 200])
    equal([client.image(second).status for _ in range(4)], [200, 429, 429, 200])
    rule = sim.faults()[0]
    equal((rule["left"], rule["fired"]), (0, 2))
    sim.clear_faults()
    equal(sim.faults(), [])
    sim.fault("*", "status", status=500, times=-1)
    equal([client.image(first).status, client.list().status, client.image(second).status], [500] * 3)
    equal(client.image(first).code, "InternalServerError")
    for rule in ({"fault": "nonsense"}, {"fault": "status"}, {"fault": "drip", "bytes": 1, "bytesPerSecond": 1},
                 {"fault": "delay", "ms": 1, "operation": "Nothing"}, {"fault": "status", "status": "500"}, [1]):
        raises(harness.ControlError, sim.call, "POST", "/faults", rule)
    raises(harness.ControlError, sim.config, nonsense=1)


@test
def fault_status(sim, client):
    image_id = sim.generate(1)[0]
    sim.fault("GetImage", "status", status=429, code="TooManyRequests", headers={"Retry-After": "2"})
    answer = client.image(image_id)
    error(answer, 429, "TooManyRequests")
    equal(answer.headers["retry-after"], "2")
    sim.fault("GetImage", "status", status=502, body="<html>Bad gateway</html>")
    answer = client.image(image_id)
    equal((answer.status, answer.body, answer.headers["content-type"]), (502, b"<html>Bad gateway</html>", "text/html"))
    sim.fault("UpdateImage", "status", status=503)
    error(client.update(image_id, {"displayName": "x"}), 503, "ServiceUnavailable")
    equal(sim.image(image_id)["updates"], 0)
    equal([line["fault"] for line in sim.requests()], ["status"] * 3)
    headers = client.signer.headers(client.host, "GET", IMAGES + "/" + image_id)
    sim.fault("GetImage", "status", status=503)
    error(client.send("GET", IMAGES + "/" + image_id, headers[:-1]), 401, "NotAuthenticated")


@test
def fault_delay(sim, client):
    image_id = sim.generate(1)[0]
    sim.fault("GetImage", "delay", ms=50)
    start = time.monotonic()
    equal(client.image(image_id).status, 200)
    equal(time.monotonic() - start >= 0.05, True)
    sim.config(latencyMs=30)
    start = time.monotonic()
    equal(client.image(image_id).status, 200)
    equal(time.monotonic() - start >= 0.03, True)


@test
def fault_close(sim, client):
    image_id = sim.generate(1)[0]
    sim.fault("UpdateImage", "close-before")
    raises(CUT, client.update, image_id, {"displayName": "x"}, None, "t")
    equal(sim.image(image_id)["updates"], 0)
    sim.fault("UpdateImage", "process-then-close")
    raises(CUT, client.update, image_id, {"displayName": "x"}, None, "t")
    equal(sim.image(image_id)["updates"], 1)
    equal(client.update(image_id, {"displayName": "x"}, None, "t").status, 200)
    equal(sim.image(image_id)["updates"], 1)
    equal([(line["status"], line["applied"]) for line in sim.requests()], [(None, False), (None, True), (200, False)])


@test
def fault_reset(sim, client):
    image_id = sim.generate(1)[0]
    sim.fault("UpdateImage", "reset")
    raises(ConnectionResetError, client.update, image_id, {"displayName": "x"})
    equal(sim.image(image_id)["updates"], 0)


@test
def fault_truncate(sim, client):
    image_id = sim.generate(1)[0]
    sim.fault("UpdateImage", "truncate")
    raises(CUT, client.update, image_id, {"displayName": "x"})
    equal(sim.image(image_id)["updates"], 1)
    sim.fault("GetImage", "truncate-quietly")
    answer = client.image(image_id)
    equal((answer.status, "content-length" in answer.headers), (200, False))
    raises(ValueError, json.loads, answer.body)
    equal(client.image(image_id).body.startswith(answer.body), True)
    equal(len(answer.body) > 100, True)


@test
def fault_drip(sim, client):
    image_id = sim.generate(1)[0]
    body = client.image(image_id).body
    sim.fault("GetImage", "drip", bytesPerSecond=5000)
    start = time.monotonic()
    equal(client.image(image_id).body, body)
    equal(time.monotonic() - start >= len(body) / 5000 * 0.5, True)


@test
def fault_bodies(sim, client):
    image_id = sim.generate(1)[0]
    sim.fault("GetImage", "invalid-json")
    answer = client.image(image_id)
    equal(answer.status, 200)
    raises(ValueError, json.loads, answer.body)
    sim.fault("GetImage", "wrong-json")
    equal(client.image(image_id).json, [1, 2])
    sim.fault("ListImages", "wrong-json", body={"items": []})
    equal(client.list().json, {"items": []})
    sim.fault("GetImage", "oversized", bytes=3000000)
    answer = client.image(image_id)
    equal((len(answer.body) > 3000000, "content-length" in answer.headers), (True, False))
    sim.fault("GetImage", "no-etag")
    answer = client.image(image_id)
    equal((answer.status, answer.etag, answer.json["id"]), (200, None, image_id))
    sim.fault("GetImage", "redirect", location="https://127.0.0.1:1/elsewhere")
    answer = client.image(image_id)
    equal((answer.status, answer.headers["location"]), (307, "https://127.0.0.1:1/elsewhere"))


@test
def fault_huge_headers(sim, client):
    image_id = sim.generate(1)[0]
    sim.fault("GetImage", "huge-headers", bytes=40000)
    equal(len(client.image(image_id).headers["x-huge-0"]), 40000)
    sim.fault("GetImage", "huge-headers")
    target = IMAGES + "/" + image_id
    where = urllib.parse.urlsplit(sim.endpoint)
    context = ssl.create_default_context(cafile=sim.ca_file)
    lines = ["%s: %s" % pair for pair in client.signer.headers(client.host, "GET", target)]
    got = b""
    with socket.create_connection((where.hostname, where.port)) as plain:
        with context.wrap_socket(plain, server_hostname=where.hostname) as wrapped:
            lines = ["GET %s HTTP/1.1" % target] + lines + ["connection: close", "", ""]
            wrapped.sendall("\r\n".join(lines).encode())
            while b"\r\n\r\n" not in got[-70000:]:
                piece = wrapped.recv(65536)
                if not piece:
                    break
                got += piece
    equal(got.count(b"h") >= 400 * 1024, True)


@test
def fault_changes(sim, client):
    image_id = sim.generate(1)[0]
    etag = client.image(image_id).etag
    sim.fault("UpdateImage", "change-before", change={"displayName": "theirs"})
    error(client.update(image_id, {"displayName": "mine"}, etag), 412, "NoEtagMatch")
    equal(sim.image(image_id)["image"]["displayName"], "theirs")
    sim.fault("UpdateImage", "change-after", change={"displayName": "theirs again"})
    answer = client.update(image_id, {"displayName": "mine"})
    equal(answer.json["displayName"], "mine")
    equal(client.image(image_id).json["displayName"], "theirs again")
    equal(client.image(image_id).etag != answer.etag, True)
    sim.fault("UpdateImage", "echo-other", set={"displayName": "odd"})
    answer = client.update(image_id, {"displayName": "mine"})
    equal(answer.json["displayName"], "odd")
    equal(client.image(image_id).json["displayName"], "mine")
    sim.fault("UpdateImage", "echo-other", set={"displayName": "odd"}, persist=True)
    answer = client.update(image_id, {"displayName": "mine"})
    equal((answer.json["displayName"], answer.etag), ("odd", client.image(image_id).etag))
    equal(client.image(image_id).json["displayName"], "odd")
    sim.fault("ListImages", "echo-other", set={"displayName": "odd list"})
    equal(client.list().json[0]["displayName"], "odd list")


@test
def fault_token_invalid(sim, client):
    image_id = sim.generate(1)[0]
    sim.fault("UpdateImage", "token-invalid")
    error(client.update(image_id, {"displayName": "x"}, None, "t1"), 409, "InvalidatedRetryToken")
    error(client.update(image_id, {"displayName": "x"}, None, "t1"), 409, "InvalidatedRetryToken")
    equal(client.update(image_id, {"displayName": "x"}, None, "t2").status, 200)


@test
def fault_hang(sim, client):
    first, second = sim.generate(2)
    waiting = Client(sim, client.signer)
    sim.fault("GetImage", "hang", target=first)
    thread = threading.Thread(target=lambda: raises(CUT, waiting.image, first))
    thread.start()
    while not sim.requests("GetImage"):
        time.sleep(0.001)
    equal(client.image(second).status, 200)
    equal(sim.statistics()["concurrentPeak"] >= 2, True)
    waiting.connection.sock.shutdown(socket.SHUT_RDWR)
    thread.join()
    equal(client.image(first).status, 200)


@test
def fault_pages(sim, client):
    ids = sim.generate(25)
    sim.fault("ListImages", "break-page")
    answer = client.list(limit=10)
    equal(answer.status, 200)
    for _ in range(3):
        error(client.list(limit=10, page=answer.next), 500, "InternalServerError")
    sim.clear_faults()
    sim.fault("ListImages", "shuffle-page", times=1)
    pages = client.walk(limit=10)
    equal([page[0] for page in pages], [ids[0], ids[9], ids[19]])
    sim.fault("ListImages", "shuffle-page", set={"displayName": "moved"}, times=1)
    second = client.list(limit=10, page=client.list(limit=10).next)
    equal((second.json[0]["id"], second.json[0]["displayName"]), (ids[9], "moved"))


# ---- volumes and backups -----------------------------------------------------------------------------------------

BOTH = ("bootvolume", "volume")
SLOW = dict(requestReceivedSeconds=10, creatingSeconds=100, terminatingSeconds=5, terminatedVisibleSeconds=1000)


def add_volume(sim, kind, name="vol", **members):
    return (sim.add_boot_volume if kind == "bootvolume" else sim.add_volume)(name, **members)


def move(sim, client, seconds):
    """Moves the simulator's clock, and the signer's with it."""
    sim.advance(seconds)
    client.signer.skew += seconds


def seconds(text):
    equal(len(text), len("2026-01-05T21:31:40.123Z"))
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + int(text[20:23]) / 1000


def backups_of(kind):
    return harness.COLLECTIONS[kind + "backup"]


def operation(verb, kind, plural=""):
    return verb + {"bootvolume": "BootVolume", "volume": "Volume"}[kind] + "Backup" + plural


@test
def volumes(sim, client):
    boot = sim.add_boot_volume("b", freeformTags={"a": "1"}, availabilityDomain="AD-2")
    other = sim.add_boot_volume("b2", compartment=OTHER)
    volume = sim.add_volume("v", timeCreated="2026-01-01T00:00:00.000Z")
    second = sim.add_volume("a", lifecycleState="FAULTY", timeCreated="2026-01-02T00:00:00.000Z")
    answer = client.read(boot)
    equal((answer.status, answer.json["displayName"], answer.json["freeformTags"]), (200, "b", {"a": "1"}))
    equal((answer.json["sizeInMBs"], answer.json["sizeInGBs"], "imageId" in answer.json), (51200, 50, True))
    equal(len(answer.etag) > 10, True)
    equal((client.read(volume).json["lifecycleState"], "imageId" in client.read(volume).json), ("AVAILABLE", False))
    error(client.get("%s/volumes/%s" % (BASE, boot)), 404, "NotAuthorizedOrNotFound")
    error(client.get("%s/bootVolumes/%s" % (BASE, volume)), 404, "NotAuthorizedOrNotFound")
    equal(client.ids("bootVolumes"), [boot])
    equal(client.ids("bootVolumes", compartment=OTHER), [other])
    equal(client.ids("bootVolumes", availabilityDomain="AD-1"), [])
    equal(client.ids("bootVolumes", availabilityDomain="AD-2"), [boot])
    equal(client.list(collection="bootVolumes").json[0], answer.json)
    error(client.list(collection="bootVolumes", displayName="b"), 400, "InvalidParameter", "displayName")
    error(client.list(collection="bootVolumes", lifecycleState="AVAILABLE"), 400, "InvalidParameter")
    error(client.list(collection="volumes", shape="b"), 400, "InvalidParameter", "shape")
    error(client.get(BASE + "/volumes"), 400, "MissingParameter")
    equal(client.ids("volumes", displayName="v"), [volume])
    equal(client.ids("volumes", lifecycleState="faulty"), [second])
    equal(client.ids("volumes", sortBy="TIMECREATED"), [second, volume])
    equal(client.ids("volumes", sortBy="DISPLAYNAME", sortOrder="DESC"), [volume, second])
    error(client.list(collection="volumes", lifecycleState="CREATING"), 400, "InvalidParameter")
    for verb in ("PUT", "POST", "DELETE"):
        error(client.call(verb, client.path(boot), b"{}" if verb != "DELETE" else None), 405, "MethodNotAllowed")
    error(client.call("POST", BASE + "/volumes", b"{}"), 405, "MethodNotAllowed")
    sim.delete(volume)
    equal(client.read(volume).json["lifecycleState"], "TERMINATED")
    sim.purge(volume)
    error(client.read(volume), 404, "NotAuthorizedOrNotFound")
    equal(client.ids("volumes"), [second])


@test
def backup_life(sim, client):
    for kind in BOTH:
        sim.config(**SLOW)
        volume = add_volume(sim, kind, sizeInGBs=77)
        start = sim.now()
        answer = client.create(volume, displayName="nightly", type="FULL")
        made = answer.json
        equal((answer.status, made["lifecycleState"], made["displayName"]), (200, "REQUEST_RECEIVED", "nightly"))
        equal((made["type"], made["sourceType"], made["sizeInGBs"]), ("FULL", "MANUAL", 77))
        equal((made["compartmentId"], made["expirationTime"]), (COMPARTMENT, None))
        equal(made.get("sizeInMBs"), None if kind == "bootvolume" else 77 * 1024)
        equal((made["id"].split(".")[1], "imageId" in made), (kind + "backup", kind == "bootvolume"))
        equal(abs(seconds(made["timeRequestReceived"]) - start) < 5, True)
        equal(len(answer.headers["opc-request-id"]) > 10, True)
        seen = client.read(made["id"])
        equal((seen.etag, seen.json), (answer.etag, made))
        equal(client.list(collection=backups_of(kind)).json, [made])
        move(sim, client, 11)
        creating = client.read(made["id"])
        equal((creating.json["lifecycleState"], creating.etag != seen.etag), ("CREATING", True))
        equal(round(seconds(creating.json["timeCreated"]) - seconds(made["timeRequestReceived"]), 1), 10)
        equal(creating.json["timeRequestReceived"], made["timeRequestReceived"])
        error(client.delete(made["id"]), 409, "IncorrectState", "CREATING")
        move(sim, client, 100)
        available = client.read(made["id"])
        equal((available.json["lifecycleState"], available.etag != creating.etag), ("AVAILABLE", True))
        error(client.delete(made["id"], creating.etag), 412, "NoEtagMatch")
        gone = client.delete(made["id"], available.etag)
        equal((gone.status, gone.body, gone.etag, "content-type" in gone.headers), (204, b"", None, False))
        equal("opc-request-id" in gone.headers, True)
        ending = client.read(made["id"])
        equal((ending.json["lifecycleState"], ending.etag != available.etag), ("TERMINATING", True))
        error(client.delete(made["id"]), 409, "IncorrectState")
        error(client.put(made["id"], {"displayName": "x"}), 409, "IncorrectState")
        move(sim, client, 6)
        equal(client.read(made["id"]).json["lifecycleState"], "TERMINATED")
        equal(client.ids(backups_of(kind), lifecycleState="TERMINATED"), [made["id"]])
        error(client.delete(made["id"]), 409, "IncorrectState")
        move(sim, client, 1000)
        for answer in (client.read(made["id"]), client.delete(made["id"]),
                       client.put(made["id"], {"displayName": "x"})):
            error(answer, 404, "NotAuthorizedOrNotFound")
        equal(client.ids(backups_of(kind)), [])
        told = sim.backups(volume)[0]
        equal((told["state"], told["name"], told["gone"] is not None), ("TERMINATED", "nightly", True))
        equal(sim.backups(volume, dead=False), [])
        sim.config(requestReceivedSeconds=0, creatingSeconds=0)
        swift = client.create(volume)
        equal((swift.json["lifecycleState"], swift.json["type"]), ("REQUEST_RECEIVED", "INCREMENTAL"))
        equal(client.read(swift.json["id"]).json["lifecycleState"], "AVAILABLE")
    error(client.delete("ocid1.volumebackup.oc1.phx.none"), 404, "NotAuthorizedOrNotFound")


@test
def backup_defaults_pass_quickly(sim, client):
    made = client.create(sim.add_boot_volume()).json["id"]
    end = time.monotonic() + 10
    while client.read(made).json["lifecycleState"] != "AVAILABLE" and time.monotonic() < end:
        time.sleep(0.01)
    equal(client.read(made).json["lifecycleState"], "AVAILABLE")
    equal(client.delete(made).status, 204)


@test
def create_bodies(sim, client):
    for kind in BOTH:
        volume, name = add_volume(sim, kind), harness.COLLECTIONS[kind][:-1] + "Id"
        wrong = "volumeId" if kind == "bootvolume" else "bootVolumeId"
        for body in (b"", b"{", b'{"displayName":"a","displayName":"b"}'):
            error(client.post(backups_of(kind), body), 400, "CannotParseRequest")
        error(client.post(backups_of(kind), {}), 400, "MissingParameter", name)
        error(client.post(backups_of(kind), {wrong: volume}), 400, "MissingParameter", name)
        for more in ({name: 1}, {name: ""}, {"type": "full"}, {"type": "DIFFERENTIAL"}, {"type": None}, {wrong: volume},
                     {"displayName": ""}, {"displayName": "x" * 256}, {"compartmentId": COMPARTMENT}, {"id": "x"},
                     {"lifecycleState": "AVAILABLE"}, {"freeformTags": {"a b": ""}}, {"freeformTags": {"a": 1}},
                     {"freeformTags": {str(n): "" for n in range(11)}}, {"definedTags": {"Ops": "x"}},
                     {"kmsKeyId": 1}, {"isPreventDeletionEnabled": "true"}, {"retentionPeriod": {}},
                     {"retentionPeriod": {"retentionTimeUnit": "WEEKS", "retentionTimeAmount": 1}},
                     {"definedTags": {"Oracle-Tags": {"CreatedBy": "me"}}}):
            answer = client.post(backups_of(kind), dict({name: volume}, **more))
            equal((more, answer.status, answer.code), (more, 400, "InvalidParameter"))
        error(client.create(volume, definedTags={"Nowhere": {"a": "b"}}), 404, "NamespaceNotFound")
        error(client.post(backups_of(kind), {name: "ocid1.%s.oc1.phx.none" % kind}), 404, "NotAuthorizedOrNotFound")
        strange = sim.add_volume() if kind == "bootvolume" else sim.add_boot_volume()
        error(client.post(backups_of(kind), {name: strange}), 404, "NotAuthorizedOrNotFound")
        for state in ("PROVISIONING", "RESTORING", "TERMINATING", "TERMINATED", "FAULTY"):
            sim.change(volume, lifecycleState=state)
            error(client.create(volume), 409, "IncorrectState", state)
        sim.change(volume, lifecycleState="AVAILABLE")
        path = BASE + "/" + backups_of(kind)
        error(client.call("POST", path + "?a=b", b"{}"), 400, "InvalidParameter", "query")
        error(client.post(backups_of(kind), {name: volume}, extra=[("if-match", "x")]), 400, "InvalidParameter",
              "if-match")
        for token in ("", "t" * 65):
            error(client.create(volume, token), 400, "InvalidParameter", "opc-retry-token")
        equal(sim.backups(), [])
        kept = {"retentionTimeUnit": "DAYS", "retentionTimeAmount": 3}
        answer = client.create(volume, "t" * 64, displayName="\u2603" * 255, kmsKeyId="key", retentionPeriod=kept)
        equal((answer.json["kmsKeyId"], answer.json["retentionPeriod"]), ("key", kept))
        sim.reset()


@test
def backup_updates(sim, client):
    for kind in BOTH:
        backup = sim.add_backup(add_volume(sim, kind), freeformTags={"a": "1"}, definedTags={"Ops": {"K": "1"}})
        before = client.read(backup)
        answer = client.put(backup, {"displayName": "new", "freeformTags": {"b": "2"}}, before.etag)
        equal((answer.status, answer.json["displayName"]), (200, "new"))
        equal((answer.json["freeformTags"], answer.json["definedTags"]), ({"b": "2"}, {"Ops": {"K": "1"}}))
        equal((answer.etag != before.etag, client.read(backup).etag), (True, answer.etag))
        equal("opc-request-id" in answer.headers, False)
        error(client.put(backup, {"displayName": "x"}, before.etag), 412, "NoEtagMatch")
        error(client.put(backup, {"displayName": "x"}, answer.etag, [("opc-retry-token", "t")]), 400,
              "InvalidParameter", "takes no opc-retry-token")
        error(client.delete(backup, None, [("opc-retry-token", "t")]), 400, "InvalidParameter", "opc-retry-token")
        error(client.get(client.path(backup), extra=[("opc-retry-token", "t")]), 400, "InvalidParameter")
        error(client.get(client.path(backup), extra=[("if-match", answer.etag)]), 400, "InvalidParameter", "if-match")
        for body in ({}, {"type": "FULL"}, {"lifecycleState": "FAULTY"}, {"operatingSystem": "x"}, {"volumeId": "x"}):
            error(client.put(backup, body), 400, "InvalidParameter")
        error(client.put("ocid1.%sbackup.oc1.phx.none" % kind, {"displayName": "x"}), 404, "NotAuthorizedOrNotFound")
        equal(sim.backup(backup)["updates"], 1)
        equal(client.put(backup, {"isPreventDeletionEnabled": True}).status, 200)
        error(client.delete(backup), 409, "IncorrectState", "isPreventDeletionEnabled")
        equal(client.put(backup, {"isPreventDeletionEnabled": False}).status, 200)
        equal(client.delete(backup).status, 204)
    equal(sim.statistics()["updatesWithoutIfMatch"] > 0, True)
    equal((sim.statistics()["deletesWithoutIfMatch"] > 0, sim.statistics()["deleted"]), (True, 2))


@test
def backup_lists(sim, client):
    for kind in BOTH:
        collection, name = backups_of(kind), harness.COLLECTIONS[kind][:-1] + "Id"
        one, two, far = add_volume(sim, kind), add_volume(sim, kind), add_volume(sim, kind, compartment=OTHER)
        made = [sim.add_backup(one, "b%d" % (n % 2), timeCreated="2026-01-0%dT00:00:00.000Z" % (9 - n))
                for n in range(4)]
        other = sim.add_backup(two, "c", lifecycleState="FAULTY", timeCreated="2025-01-01T00:00:00.000Z",
                               **{"sourceBootVolumeBackupId" if kind == "bootvolume" else "sourceVolumeBackupId": "s"})
        away = sim.add_backup(far, compartment=OTHER)
        equal(client.ids(collection), made + [other])
        equal(client.ids(collection, compartment=OTHER), [away])
        equal(client.ids(collection, **{name: one}), made)
        equal(client.walk(collection=collection, limit=3, **{name: one}), [made[:3], made[3:]])
        equal(client.ids(collection, sortBy="TIMECREATED", sortOrder="ASC", **{name: one}), made[::-1])
        equal(client.ids(collection, **{name: "none"}), [])
        equal(client.ids(collection, displayName="b1"), made[1::2])
        equal(client.ids(collection, lifecycleState="faulty"), [other])
        equal(client.ids(collection, sortBy="TIMECREATED"), made + [other])
        equal(client.ids(collection, sortBy="TIMECREATED", sortOrder="ASC"), [other] + made[::-1])
        source = "sourceBootVolumeBackupId" if kind == "bootvolume" else "sourceVolumeBackupId"
        equal(client.ids(collection, **{source: "s"}), [other])
        sim.change(made[3], timeCreated="2026-02-01T00:00:00.000Z")
        equal(client.ids(collection, sortBy="TIMECREATED"), made[3:] + made[:3] + [other])
        late = sim.add_backup(one, "z", timeCreated="2026-01-15T00:00:00.000Z")
        equal(client.ids(collection, sortBy="TIMECREATED"), made[3:] + [late] + made[:3] + [other])
        equal(client.ids(collection, sortBy="DISPLAYNAME", sortOrder="DESC")[:2], [late, other])
        wrong = "volumeId" if kind == "bootvolume" else "bootVolumeId"
        for bad in ({wrong: one}, {"tag": "x"}, {"lifecycleState": "PROVISIONING"}, {"limit": 1001}, {"shape": "x"}):
            error(client.list(collection=collection, **bad), 400, "InvalidParameter")
        error(client.get(BASE + "/" + collection), 400, "MissingParameter")
        token = client.list(collection=collection, limit=2).next
        error(client.list(collection="volumes", limit=2, page=token), 400, "InvalidParameter", "page token")


@test
def tags_come_from_the_volume(sim, client):
    for kind in BOTH:
        sim.config(tagDefaults={}, onBusyVolume=False)
        volume = add_volume(sim, kind, freeformTags={"a": "1", "b": "2"},
                            definedTags={"Ops": {"Owner": "x", "Cost": "1"}, "Cost": {"Center": "7"}})
        made = client.create(volume, freeformTags={"b": "3", "c": "4"}, definedTags={"ops": {"owner": "y"}}).json
        equal(made["freeformTags"], {"a": "1", "b": "3", "c": "4"})
        equal(made["definedTags"], {"Ops": {"Owner": "y", "Cost": "1"}, "Cost": {"Center": "7"}})
        sim.config(tagDefaults={"Oracle-Tags": {"CreatedBy": "me", "CreatedOn": "${oci.datetime}"},
                                "Ops": {"Owner": "default"}})
        tags = client.create(volume).json["definedTags"]
        equal((tags["Oracle-Tags"]["CreatedBy"], tags["Ops"]["Owner"]), ("me", "default"))
        seconds(tags["Oracle-Tags"]["CreatedOn"])
        sim.change(volume, freeformTags={str(n): "" for n in range(8)})
        error(client.create(volume, freeformTags={"x": "", "y": "", "z": ""}), 400, "InvalidParameter", "10 entries")
        equal(len(client.create(volume, freeformTags={"x": "", "y": ""}).json["freeformTags"]), 10)
        sim.reset()
        automatic = client.create(add_volume(sim, kind)).json["definedTags"]["Oracle-Tags"]
        equal(sorted(automatic), ["CreatedBy", "CreatedOn"])


@test
def busy_volumes(sim, client):
    sim.config(**SLOW)
    for kind in BOTH:
        volume, free = add_volume(sim, kind), add_volume(sim, kind)
        first = client.create(volume).json["id"]
        error(client.create(volume), 409, "IncorrectState", "being made")
        equal(client.create(free).status, 200)
        move(sim, client, 50)
        error(client.create(volume), 409, "IncorrectState")
        move(sim, client, 100)
        equal(client.create(volume).status, 200)
        sim.config(onBusyVolume=False)
        equal(client.create(volume).status, 200)
        sim.config(onBusyVolume=True)
        equal(client.delete(first).status, 204)
    sim.config(backupLimit=9, onBusyVolume=False)
    equal(client.create(volume).status, 200)
    error(client.create(volume), 400, "LimitExceeded")


@test
def create_tokens(sim, client):
    for kind in BOTH:
        sim.config(**SLOW)
        volume, other = add_volume(sim, kind), add_volume(sim, kind)
        first = client.create(volume, "t1", displayName="a")
        again = client.create(volume, "t1", displayName="a")
        equal((again.status, again.etag, again.json), (200, first.etag, first.json))
        made = first.json["id"]
        move(sim, client, 200)
        again = client.create(volume, "t1", displayName="a")
        equal((again.json["id"], again.json["lifecycleState"], again.etag != first.etag), (made, "AVAILABLE", True))
        equal([item["token"] for item in sim.backups(volume)], ["t1"])
        equal([line["resource"] for line in sim.requests(operation("Create", kind))][-3:], [made] * 3)
        error(client.create(volume, "t1", displayName="b"), 409, "InvalidatedRetryToken")
        error(client.create(other, "t1", displayName="a"), 409, "InvalidatedRetryToken")
        sim.config(tokenMismatch="replay")
        equal(client.create(volume, "t1", displayName="b").json["id"], made)
        sim.config(tokenMismatch="invalid-parameter")
        error(client.create(volume, "t1", displayName="b"), 400, "InvalidParameter", "different request")
        sim.config(tokenMismatch="invalidated")
        # A refused create does not use its token up, not even for another body.
        sim.change(other, lifecycleState="RESTORING")
        error(client.create(other, "t2"), 409, "IncorrectState")
        sim.change(other, lifecycleState="AVAILABLE")
        equal(client.create(other, "t2", displayName="c").status, 200)
        error(client.create(other, "t3"), 409, "IncorrectState", "being made")
        equal(len(sim.backups(other)), 1)
        # The token goes with its backup.
        equal(client.delete(made).status, 204)
        error(client.create(volume, "t1", displayName="a"), 409, "InvalidatedRetryToken")
        sim.config(tokenVoidWhen="purged")
        equal(client.create(volume, "t1", displayName="a").json["lifecycleState"], "TERMINATING")
        move(sim, client, 10)
        equal(client.create(volume, "t1", displayName="a").json["lifecycleState"], "TERMINATED")
        move(sim, client, 1000)
        error(client.create(volume, "t1", displayName="a"), 409, "InvalidatedRetryToken")
        equal(len(sim.backups(volume)), 1)
        # After 24 hours it is forgotten.
        move(sim, client, 24 * 3600)
        anew = client.create(volume, "t1", displayName="a")
        equal((anew.status, anew.json["id"] != made, len(sim.backups(volume))), (200, True, 2))
        equal(sim.statistics()["tokenReplays"], 5)
        sim.reset()
        client.signer.skew = 0


@test
def clock(sim, client):
    sim.config(**SLOW)
    made = client.create(sim.add_volume()).json["id"]
    move(sim, client, 10 ** 6)
    answer = client.read(made)
    equal((answer.status, answer.json["lifecycleState"]), (200, "AVAILABLE"))
    server = calendar.timegm(email.utils.parsedate(answer.headers["date"]))
    equal(abs(server - time.time() - 10 ** 6) < 60, True)
    # What came in between happened at its own time.
    equal(round(seconds(answer.json["timeCreated"]) - seconds(answer.json["timeRequestReceived"]), 1), 10)
    equal(sim.set_clock(0.5)["offsetSeconds"], 0.5)
    error(client.read(made), 401, "NotAuthenticated")
    client.signer.skew = 0
    equal(client.read(made).status, 200)
    equal(abs(seconds(sim.clock()["now"]) - sim.now()) < 5, True)
    for bad in ({}, {"offsetSeconds": "1"}, {"offsetSeconds": 1, "advanceSeconds": 1}, {"seconds": 1}, None):
        raises(harness.ControlError, sim.call, "POST", "/clock", bad)


@test
def clock_file(sim, client):
    path = os.path.join(sim.directory, "clock")
    with harness.Simulator(clock_file=path, compartment=OTHER) as other:
        mine = Client(other, client.signer)
        other.config(**SLOW)
        made = mine.create(other.add_volume()).json["id"]
        move(other, mine, 60)
        equal(os.path.getsize(path), 8)
        equal(mine.read(made).json["lifecycleState"], "CREATING")
        move(other, mine, 3600)
        equal(mine.read(made).json["lifecycleState"], "AVAILABLE")
        equal(other.clock()["fileOffsetSeconds"], 3660)
        mine.connection.close()
    os.unlink(path)


@test
def faulty_backups(sim, client):
    sim.config(**SLOW)
    one, two = sim.add_boot_volume(), sim.add_volume()
    sim.faulty(1)
    sim.faulty(1, two)
    made = [client.create(volume).json["id"] for volume in (one, two)]
    move(sim, client, 50)
    equal([client.read(ocid).json["lifecycleState"] for ocid in made], ["CREATING"] * 2)
    move(sim, client, 100)
    equal([client.read(ocid).json["lifecycleState"] for ocid in made], ["FAULTY"] * 2)
    made = [client.create(volume).json["id"] for volume in (one, two)]
    move(sim, client, 150)
    equal([client.read(ocid).json["lifecycleState"] for ocid in made], ["AVAILABLE"] * 2)
    equal(client.delete(sim.backups(one)[0]["id"]).status, 204)
    raises(harness.ControlError, sim.call, "POST", "/faulty", {"volume": one})


@test
def lists_lag(sim, client):
    for kind in BOTH:
        volume, collection = add_volume(sim, kind), backups_of(kind)
        sim.config(listLagSeconds=30, requestReceivedSeconds=10, creatingSeconds=50, terminatingSeconds=10,
                   terminatedVisibleSeconds=100)
        made = client.create(volume).json["id"]

        def states():
            return [item["lifecycleState"] for item in client.list(collection=collection).json]

        equal((client.read(made).status, states()), (200, []))
        move(sim, client, 20)
        equal((client.read(made).json["lifecycleState"], states()), ("CREATING", []))
        move(sim, client, 15)
        equal((client.read(made).json["lifecycleState"], states()), ("CREATING", ["REQUEST_RECEIVED"]))
        move(sim, client, 30)
        equal((client.read(made).json["lifecycleState"], states()), ("AVAILABLE", ["CREATING"]))
        move(sim, client, 35)
        equal(states(), ["AVAILABLE"])
        equal(client.put(made, {"displayName": "new"}).status, 200)
        equal((len(client.ids(collection, displayName="new")), client.read(made).json["displayName"]), (0, "new"))
        move(sim, client, 31)
        equal(client.ids(collection, displayName="new"), [made])
        equal(client.delete(made).status, 204)
        equal(states(), ["AVAILABLE"])
        move(sim, client, 111)
        error(client.read(made), 404, "NotAuthorizedOrNotFound")
        equal(states(), ["TERMINATED"])
        move(sim, client, 31)
        equal(states(), [])
        sim.config(listLagSeconds=0, getLagSeconds=20)
        made = client.create(volume).json["id"]
        equal(client.ids(collection), [made])
        error(client.read(made), 404, "NotAuthorizedOrNotFound")
        move(sim, client, 21)
        equal(client.read(made).status, 200)
        sim.config(getLagSeconds=0)


@test
def revoked_permissions(sim, client):
    for kind in BOTH:
        volume, away = add_volume(sim, kind), add_volume(sim, kind, compartment=OTHER)
        backup, collection = sim.add_backup(volume), backups_of(kind)
        sim.revoke(operation("List", kind, "s"))
        error(client.list(collection=collection), 404, "NotAuthorizedOrNotFound")
        equal(client.read(backup).status, 200)
        sim.revoke(operation("Get", kind))
        error(client.read(backup), 404, "NotAuthorizedOrNotFound")
        sim.grant(operation("Get", kind))
        equal(client.read(backup).status, 200)
        sim.revoke(operation("Create", kind), COMPARTMENT)
        error(client.create(volume, kind), 404, "NotAuthorizedOrNotFound")
        equal(client.create(away).status, 200)
        sim.grant()
        sim.revoke(compartment=COMPARTMENT)
        for answer in (client.list(collection=collection), client.list(collection=harness.collection_of(volume)),
                       client.read(volume), client.read(backup), client.create(volume, kind), client.delete(backup),
                       client.put(backup, {"displayName": "x"})):
            error(answer, 404, "NotAuthorizedOrNotFound")
        equal(client.list(OTHER, collection=collection).status, 200)
        sim.grant(compartment=COMPARTMENT)
        equal(client.create(volume, kind).status, 200)
        equal(client.list(collection=collection).status, 200)
    image_id = sim.generate(1)[0]
    sim.revoke("*", COMPARTMENT)
    error(client.image(image_id), 404, "NotAuthorizedOrNotFound")
    raises(harness.ControlError, sim.revoke, "Nothing")


@test
def backup_faults(sim, client):
    sim.config(requestReceivedSeconds=0, creatingSeconds=0, terminatingSeconds=3600)
    for kind in BOTH:
        volume, other = add_volume(sim, kind), add_volume(sim, kind)
        create, delete, listing = operation("Create", kind), operation("Delete", kind), operation("List", kind, "s")
        sim.fault(create, "close-before")
        raises(CUT, client.create, volume, kind + "-t1")
        equal(sim.backups(volume), [])
        sim.fault(create, "process-then-close")
        raises(CUT, client.create, volume, kind + "-t1")
        made = sim.backups(volume)[0]["id"]
        equal(client.create(volume, kind + "-t1").json["id"], made)
        equal([line["resource"] for line in sim.requests(create)], [None, made, made])
        sim.fault(create, "process-then-status", status=500, target=other)
        equal(client.create(volume, kind + "-t2").status, 200)
        error(client.create(other, kind + "-t3"), 500, "InternalServerError")
        equal(len(sim.backups(other)), 1)
        equal(client.create(other, kind + "-t3").json["id"], sim.backups(other)[0]["id"])
        sim.fault("*", "status", status=429, method="POST", times=2)
        error(client.create(volume), 429, "TooManyRequests")
        error(client.create(other), 429, "TooManyRequests")
        sim.fault(create, "process-then-reset")
        raises(CUT, client.create, other)
        equal(len(sim.backups(other)), 2)
        sim.fault("*", "delay", ms=50, path=BASE + "/" + backups_of(kind) + "/*")
        start = time.monotonic()
        equal(client.read(made).status, 200)
        equal(time.monotonic() - start >= 0.05, True)
        sim.fault(delete, "process-then-close")
        raises(CUT, client.delete, made)
        equal(client.read(made).json["lifecycleState"], "TERMINATING")
        sim.fault(delete, "status", status=503)
        error(client.delete(sim.backups(other)[0]["id"]), 503, "ServiceUnavailable")
        sim.fault(create, "token-invalid")
        error(client.create(volume, kind + "-t9"), 409, "InvalidatedRetryToken")
        error(client.create(volume, kind + "-t9"), 409, "InvalidatedRetryToken")
        sim.fault(create, "change-before", change={"lifecycleState": "RESTORING"}, resource=volume)
        error(client.create(volume), 409, "IncorrectState", "RESTORING")
        sim.fault(create, "echo-other", set={"displayName": "odd"})
        equal(client.create(other).json["displayName"], "odd")
        sim.fault(listing, "break-page", skip=1)
        first = client.list(collection=backups_of(kind), limit=1)
        second = client.list(collection=backups_of(kind), limit=1, page=first.next)
        equal(second.status, 200)
        error(client.list(collection=backups_of(kind), limit=1, page=second.next), 500, "InternalServerError")
        sim.clear_faults()
        sim.fault(listing, "invalid-json", skip=1)
        equal(len(client.list(collection=backups_of(kind), limit=1).json), 1)
        raises(ValueError, json.loads, client.list(collection=backups_of(kind), limit=1, page=first.next).body)
        waiting = Client(sim, client.signer, timeout=0.2)
        sim.fault(create, "process-then-hang")
        before = len(sim.backups(other))
        raises(CUT, waiting.create, other)
        equal(len(sim.backups(other)), before + 1)
        sim.clear_faults()


@test
def generated_backups(sim, client):
    for kind in BOTH:
        rule = dict(kind="bootVolume" if kind == "bootvolume" else kind, volumeName="db-{volume}", prefix="zz",
                    backupName="db-{volume} {n}", baseTime="2026-01-01T00:00:00Z", stepSeconds=3600,
                    volume={"freeformTags": {"tier": "gold"}},
                    backup={"freeformTags": {"imagekeeper": "hourly-{volume}@{time}", "{i}": "{source}"}})
        volumes = sim.generate_backups(3, 4, **rule)
        of_second = {harness.collection_of(volumes[1])[:-1] + "Id": volumes[1]}
        equal(client.ids(harness.collection_of(volumes[0])), volumes)
        equal((client.read(volumes[1]).json["displayName"], client.read(volumes[1]).json["freeformTags"]),
              ("db-2", {"tier": "gold"}))
        made = client.list(collection=backups_of(kind), **of_second).json
        equal([item["displayName"] for item in made], ["db-2 1", "db-2 2", "db-2 3", "db-2 4"])
        equal(made[2]["freeformTags"], {"imagekeeper": "hourly-2@2026-01-01T02:00:00Z", "7": volumes[1]})
        equal((made[2]["timeCreated"], made[2]["lifecycleState"]), ("2026-01-01T02:00:00.000Z", "AVAILABLE"))
        equal(client.read(made[2]["id"]).json, made[2])
        equal(len(client.ids(backups_of(kind))), 12)
        equal(client.delete(made[0]["id"]).status, 204)
        raises(harness.ControlError, sim.generate_backups, 3, 4, **rule)
    for bad in ({"kind": "image"}, {"baseTime": "now"}, {"backup": 1}, {"volume": {"displayName": 1}}):
        raises(harness.ControlError, sim.generate_backups, 1, 1, **bad)
    raises(harness.ControlError, sim.generate_backups, 1000, 1001)


@test
def console(sim, client):
    backup = sim.add_backup(sim.add_volume(), freeformTags={"a": "1"})
    etag = client.read(backup).etag
    sim.change(backup, freeformTags={}, displayName="theirs")
    answer = client.read(backup)
    equal((answer.json["freeformTags"], answer.json["displayName"], answer.etag != etag), ({}, "theirs", True))
    sim.config(terminatingSeconds=5, terminatedVisibleSeconds=5)
    made = client.create(sim.add_volume()).json["id"]
    sim.change(made, lifecycleState="CREATING")
    move(sim, client, 10 ** 6)
    equal(client.read(made).json["lifecycleState"], "CREATING")
    sim.delete(backup)
    equal(client.read(backup).json["lifecycleState"], "TERMINATING")
    move(sim, client, 7)
    equal(client.read(backup).json["lifecycleState"], "TERMINATED")
    sim.purge(backup)
    error(client.read(backup), 404, "NotAuthorizedOrNotFound")
    equal((sim.backup(backup)["deleted"] is not None, sim.backup(backup)["gone"] is not None), (True, True))
    raises(harness.ControlError, sim.change, "ocid1.volumebackup.oc1.phx.none", displayName="x")
    raises(harness.ControlError, sim.call, "POST", "/bootVolumes", {"id": backup})


@test
def backup_log_and_statistics(sim, client):
    volume = sim.add_boot_volume()
    answer = client.create(volume, "tok")
    client.create(volume, "tok")
    line = sim.requests("CreateBootVolumeBackup")[0]
    wanted = {"method": "POST", "target": None, "source": volume, "resource": answer.json["id"], "retryToken": "tok",
              "body": {"bootVolumeId": volume}, "applied": True, "status": 200}
    equal({name: line[name] for name in wanted}, wanted)
    equal(sim.requests("CreateBootVolumeBackup")[1]["applied"], False)
    told = sim.statistics()
    equal((told["created"], told["tokenReplays"], told["applied"]), (1, 1, 1))
    equal(told["operations"], {"CreateBootVolumeBackup": {"200": 2}})
    raises(harness.ControlError, sim.config, creatingSeconds=-1)
    raises(harness.ControlError, sim.config, tokenMismatch="maybe")


@test
def many_backups(sim, client):
    start = time.monotonic()
    volumes = sim.generate_backups(300, 1000, backup={"freeformTags": {"imagekeeper": "hourly@{time}"}})
    with open("/proc/%d/statm" % sim.process.pid) as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2 ** 20
    print("# 300,000 backups made in %.2f s, %.0f MiB" % (time.monotonic() - start, resident))
    for query in ({}, {"sortBy": "TIMECREATED"}, {"bootVolumeId": volumes[200]}):
        spent, token = [], None
        while token is not None or not spent:
            target = "%s/bootVolumeBackups?%s" % (BASE, urllib.parse.urlencode(
                dict(query, compartmentId=COMPARTMENT, limit=1000, **({"page": token} if token else {})),
                quote_via=urllib.parse.quote, safe=""))
            headers = client.signer.headers(client.host, "GET", target)
            start = time.monotonic()
            answer = client.send("GET", target, headers)
            spent.append((time.monotonic() - start) * 1000)
            equal((answer.status, answer.body.count(b'"bootVolumeId":')), (200, 1000))
            token = answer.next
        print("# %d pages of 1000 by %r: the first %.1f ms, the middle one %.1f ms"
              % (len(spent), query, spent[0], sorted(spent)[len(spent) // 2]))
        equal(len(spent), 1 if "bootVolumeId" in query else 300)


# ---- the program -------------------------------------------------------------------------------------------------

@test
def other_control_calls(sim, client):
    raises(harness.ControlError, sim.image, "none")
    raises(harness.ControlError, sim.add_images, {"displayName": "no id"})
    raises(harness.ControlError, sim.call, "GET", "/nothing")
    sim.generate(2, prefix="zz", image={"operatingSystem": "Ubuntu"})
    equal(sorted(sim.images()), ["ocid1.image.oc1.phx.zz000001", "ocid1.image.oc1.phx.zz000002"])
    equal(sim.images()["ocid1.image.oc1.phx.zz000001"]["image"]["operatingSystem"], "Ubuntu")
    sim.config(anyHost=True)
    equal(client.get(IMAGES + "/ocid1.image.oc1.phx.zz000001", host="iaas.example.com").status, 200)
    sim.reset()
    equal((sim.images(), sim.requests(), sim.statistics()["requests"]), ({}, [], 0))


@test
def many_images(sim, client):
    sim.generate(10000)
    client.list(limit=1000)
    headers = []
    for _ in range(10):
        headers.append(client.signer.headers(client.host, "GET", IMAGES + "?compartmentId=%s&limit=1000" % COMPARTMENT))
    start = time.monotonic()
    for signed in headers:
        client.send("GET", IMAGES + "?compartmentId=%s&limit=1000" % COMPARTMENT, signed)
    print("# a page of 1000 of 10000 images: %.1f ms" % ((time.monotonic() - start) * 100))
    equal([len(page) for page in client.walk(limit=1000)], [1000] * 10)


@test
def plain_http_and_start_options(sim, client):
    with harness.Simulator(images=3, compartment=OTHER, plain_http=True, key_id="ST$abc") as other:
        equal(other.endpoint.startswith("http://"), True)
        plain = Client(other, client.signer)
        error(plain.list(OTHER), 401, "NotAuthenticated", "keyId")
        answer = plain.get(IMAGES + "?compartmentId=" + OTHER, parameters={"keyId": "ST$abc"})
        equal(len(answer.json), 3)
        equal(other.stop(), 0)


@test
def ends_with_its_parent(sim, client):
    script = ("import os, sys; sys.path.insert(0, sys.argv[1]); import sim; s = sim.Simulator(); s.start(); "
              "print(s.process.pid, s.directory, flush=True); os._exit(0)")
    done = subprocess.run([sys.executable, "-B", "-c", script, os.path.dirname(harness.__file__)],
                          stdout=subprocess.PIPE, check=True, text=True)
    pid, directory = done.stdout.split()
    end = time.monotonic() + 30
    while os.path.exists("/proc/%s/exe" % pid) and time.monotonic() < end:
        try:
            os.readlink("/proc/%s/exe" % pid)
        except OSError:
            break
        time.sleep(0.005)
    equal(time.monotonic() < end, True)
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    os.rmdir(directory)


def run(function, number, sim, signer):
    sim.reset()
    client = Client(sim, signer)
    try:
        function(sim, client)
    except Exception as why:  # noqa: BLE001
        print("not ok %d - %s" % (number, function.__name__))
        print("# %s: %s" % (type(why).__name__, why))
        return False
    finally:
        client.connection.close()
        signer.skew = 0
    print("ok %d - %s" % (number, function.__name__), flush=True)
    return True


def main():
    chosen = [function for function in TESTS if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]]
    signer = Signer(Key(harness.vectors("oci-test-key-pkcs1.pem")))
    good = True
    print("1..%d" % (len(chosen) + 1), flush=True)
    with harness.Simulator() as sim:
        for number, function in enumerate(chosen, 1):
            good = run(function, number, sim, signer) and good
        left_open = Client(sim, signer)
        left_open.list()
        status = sim.stop()
        left_open.connection.close()
        print("%sok %d - ends_cleanly" % ("" if status == 0 else "not ", len(chosen) + 1))
        good = good and status == 0
    return 0 if good else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
