"""Starts the cloud simulator and talks to its control API. Standard library alone.

    with Simulator() as sim:
        sim.generate(10, compartment)
        sim.fault("GetImage", "status", status=503, times=2)
        ... run the program under test against sim.endpoint with sim.ca_file ...
        assert sim.image(image_id)["updates"] == 1

    with Simulator(clock_file=path) as sim:        # path: also the file that moves the program's own clock
        volume = sim.add_boot_volume("db", freeformTags={"tier": "gold"})
        ... run ...
        sim.advance(3600)
        assert [item["state"] for item in sim.backups(volume)] == ["AVAILABLE"]

The simulator dies with the thread that started it, so start it from the main thread.
"""
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))

TENANCY = "ocid1.tenancy.oc1..aaaaaaaaexampletenancy"
USER = "ocid1.user.oc1..aaaaaaaaexampleuser"
FINGERPRINT = "90:d2:64:b2:3a:be:26:49:80:18:89:9e:6e:39:b8:c8"
KEY_ID = "%s/%s/%s" % (TENANCY, USER, FINGERPRINT)
COMPARTMENT = "ocid1.compartment.oc1..aaaaaaaaexamplecompartment"


# Huawei Cloud: what the simulator knows from the start.
PROJECT = "0123456789abcdef0123456789abcdef"
PROJECT_NAME = "cn-north-4"
ACCOUNT = "exampleaccount"
HUAWEI_USER = "exampleuser"
HUAWEI_PASSWORD = "Example-Password-1"
ACCESS_KEY = "TESTACCESSKEY0000001"
SECRET_KEY = "TestSecretKey000000000000000000000000001"

# OpenStack: what Keystone and Glance know from the start.
GLANCE_PROJECT = "5ba9b3a7c31f4d2c8e6f0a1d2b3c4d5e"
GLANCE_PROJECT_NAME = "demo"
GLANCE_REGION = "RegionOne"
KEYSTONE_DOMAIN = "Default"
KEYSTONE_DOMAIN_ID = "default"
KEYSTONE_USER = "demo"
KEYSTONE_USER_ID = "7c2f9e4d1b3a4c5d8e9f0a1b2c3d4e5f"
KEYSTONE_PASSWORD = "Demo-Password-1"
CREDENTIAL = "demo-credential"
CREDENTIAL_ID = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
CREDENTIAL_SECRET = "Demo-Credential-Secret-1"


def vectors(name):
    """Path of a test key or vector file."""
    source = os.environ.get("srcdir") or os.path.dirname(os.path.dirname(HERE))
    directory = os.environ.get("VECTORS") or os.path.join(source, "tests", "data", "vectors")
    return os.path.join(directory, name)


COLLECTIONS = {"image": "images", "bootvolume": "bootVolumes", "volume": "volumes",
               "bootvolumebackup": "bootVolumeBackups", "volumebackup": "volumeBackups"}


PROJECT_ID = re.compile("[0-9a-f]{32}")
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def collection_of(ocid):
    """The collection that an OCID is of; any other id is an image's. Of a UUID the simulator knows it."""
    parts = ocid.split(".")
    if UUID.fullmatch(ocid):
        return "resources"
    return COLLECTIONS.get(parts[1], "images") if parts[0] == "ocid1" and len(parts) > 1 else "images"


def write_clock(path, seconds):
    """Sets the offset in a clock file, in one write; makes the file when it is not there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(descriptor, struct.pack("=q", round(seconds * 10 ** 9)), 0)
    finally:
        os.close(descriptor)


def read_clock(path):
    """The offset in a clock file, in seconds."""
    with open(path, "rb") as file:
        return struct.unpack("=q", file.read(8))[0] / 10 ** 9


class ControlError(Exception):
    """The control API refused a call."""


class Simulator:
    def __init__(self, program=None, directory=None, public_key=None, key_id=None, images=0, compartment=COMPARTMENT,
                 plain_http=False, stderr=None, clock_file=None):
        self.program = program or os.environ["OCI_SIMULATOR"]
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="oci-simulator-")
        self.arguments = ["--directory", self.directory,
                          "--public-key", public_key or vectors("oci-test-key-public.pem")]
        if key_id:
            self.arguments += ["--key-id", key_id]
        if images:
            self.arguments += ["--images", str(images), "--compartment", compartment]
        if plain_http:
            self.arguments += ["--http"]
        self.stderr = stderr
        self.clock_file = clock_file
        self.volumes_made = 0
        self.process = None
        self.endpoint = None
        self.control = None
        self.ca_file = os.path.join(self.directory, "ca.pem")
        self.log_file = os.path.join(self.directory, "requests.jsonl")

    def start(self, timeout=30):
        ready = os.path.join(self.directory, "ready")
        if os.path.exists(ready):
            os.unlink(ready)
        environment = dict(os.environ)
        if self.clock_file is not None:
            if not os.path.exists(self.clock_file):
                write_clock(self.clock_file, 0)
            environment["SIM_CLOCK_FILE"] = self.clock_file
        self.process = subprocess.Popen([self.program] + self.arguments, stderr=self.stderr, env=environment)
        end = time.monotonic() + timeout
        while not os.path.exists(ready):
            if self.process.poll() is not None:
                raise RuntimeError("the simulator ended at once with status %d" % self.process.returncode)
            if time.monotonic() > end:
                self.stop()
                raise RuntimeError("the simulator was not ready after %d s" % timeout)
            time.sleep(0.005)
        with open(ready) as file:
            told = json.load(file)
        self.endpoint = told["endpoint"]
        self.control = told["control"]
        return self

    def stop(self, timeout=30):
        """Ends the simulator; returns its exit status (0 is a clean end)."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        status, self.process = self.process.returncode, None
        return status

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.own_directory:
                shutil.rmtree(self.directory, ignore_errors=True)

    def call(self, method, path, body=None):
        """One call of the control API; returns the parsed answer."""
        where = urllib.parse.urlsplit(self.control)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=120)
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode())
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        answer = json.loads(text)
        if response.status != 200:
            raise ControlError("%s %s: %d %s" % (method, path, response.status, answer.get("error")))
        return answer

    def _path(self, ocid):
        return "/%s/%s" % (collection_of(ocid), urllib.parse.quote(ocid, safe=""))

    def _resource_call(self, ocid, verb, body=None):
        return self.call("POST", "%s/%s" % (self._path(ocid), verb), body)

    def add_images(self, images):
        """Creates or replaces one image or a list of them; missing fields get defaults."""
        return self.call("POST", "/images", images)

    def add_compartment(self, compartment=COMPARTMENT):
        return self.call("POST", "/compartments", {"id": compartment})

    def generate(self, count, compartment=COMPARTMENT, prefix=None, image=None):
        """Makes many images; `image` is merged into each of them. Returns their ids."""
        body = {"count": count, "compartmentId": compartment}
        if prefix is not None:
            body["prefix"] = prefix
        if image is not None:
            body["image"] = image
        self.call("POST", "/generate", body)
        return ["ocid1.image.oc1.phx.%s%06d" % ("aaaaaaaa" if prefix is None else prefix, n)
                for n in range(1, count + 1)]

    def image(self, image_id):
        """{"image", "etag", "version", "updates", "hidden", "unreadable"}"""
        return self.call("GET", "/images/" + urllib.parse.quote(image_id, safe=""))

    def images(self):
        """All images by id, each as image() tells them."""
        return {item["image"]["id"]: item for item in self.call("GET", "/images")["images"]}

    def change(self, ocid, **members):
        """Somebody's change at the console, past the API: tags, displayName, lifecycleState (which then stays) ..."""
        return self._resource_call(ocid, "change", members)

    def delete(self, ocid):
        """Somebody's deletion: a backup goes through TERMINATING, all else is dead at once but still visible."""
        return self._resource_call(ocid, "delete")

    def purge(self, ocid):
        """Makes a resource vanish at once."""
        return self._resource_call(ocid, "purge")

    def _add_volume(self, kind, name, ocid, compartment, members):
        self.volumes_made += 1
        ocid = ocid or "ocid1.%s.oc1.phx.made%06d" % (kind, self.volumes_made)
        self.call("POST", "/" + COLLECTIONS[kind], dict(members, id=ocid, displayName=name, compartmentId=compartment))
        return ocid

    def add_boot_volume(self, name="boot volume", ocid=None, compartment=COMPARTMENT, **members):
        """Makes a boot volume; returns its OCID. Members: freeformTags, definedTags, lifecycleState, sizeInGBs ..."""
        return self._add_volume("bootvolume", name, ocid, compartment, members)

    def add_volume(self, name="volume", ocid=None, compartment=COMPARTMENT, **members):
        return self._add_volume("volume", name, ocid, compartment, members)

    def add_backup(self, volume, name="backup", ocid=None, compartment=COMPARTMENT, **members):
        """Makes a backup of a volume by hand, AVAILABLE unless told otherwise; returns its OCID."""
        boot = collection_of(volume) == "bootVolumes"
        self.volumes_made += 1
        kind = "bootvolumebackup" if boot else "volumebackup"
        ocid = ocid or "ocid1.%s.oc1.phx.made%06d" % (kind, self.volumes_made)
        self.call("POST", "/" + COLLECTIONS[kind],
                  dict(members, id=ocid, displayName=name, compartmentId=compartment,
                       **{"bootVolumeId" if boot else "volumeId": volume}))
        return ocid

    def generate_backups(self, volumes, backups, compartment=COMPARTMENT, **rule):
        """Makes many volumes with many AVAILABLE backups each; see POST /generate for kind, volumeName, backupName,
        prefix, baseTime, stepSeconds, volume, backup. Returns the volumes' OCIDs."""
        self.call("POST", "/generate", dict(rule, volumes=volumes, backups=backups, compartmentId=compartment))
        return ["ocid1.%s.oc1.phx.%s%06d" % (rule.get("kind", "bootVolume").lower(), rule.get("prefix", "aaaaaaaa"), n)
                for n in range(1, volumes + 1)]

    @staticmethod
    def _flat(item):
        """What control tells of a resource, with its usual properties at hand."""
        model = item[item["kind"]]
        return dict(item, model=model, id=model["id"], name=model["displayName"], state=model["lifecycleState"],
                    volume=model.get("bootVolumeId") or model.get("volumeId"), freeform=model["freeformTags"])

    def resource(self, ocid):
        """One volume or backup: "model" is what the API gives; "id", "name", "state", "volume", "freeform" are of it;
        "etag", "updates", "token", "created", "deleted", "gone" (times, or None) are the simulator's own."""
        return self._flat(self.call("GET", self._path(ocid)))

    backup = resource

    def backups(self, volume=None, dead=True):
        """All backups, or those of a volume, in the order of creation, each as resource() tells it. dead=False leaves
        out those TERMINATING, TERMINATED or gone."""
        items = []
        for collection in ("bootVolumeBackups", "volumeBackups"):
            if volume is None or collection_of(volume)[:-1] == collection[:-7]:
                items += [self._flat(item) for item in self.call("GET", "/" + collection)[collection]]
        return [item for item in items if (volume is None or item["volume"] == volume) and
                (dead or (item["gone"] is None and item["state"] not in ("TERMINATING", "TERMINATED")))]

    def clock(self):
        """{"now", "offsetSeconds", "fileOffsetSeconds"}"""
        return self.call("GET", "/clock")

    def now(self):
        """The simulator's time in seconds, by this program's clock and the offsets."""
        told = self.clock()
        return time.time() + told["offsetSeconds"] + told["fileOffsetSeconds"]

    def advance(self, seconds):
        """Moves the clock on: that of the clock file when there is one, else the simulator's alone."""
        if self.clock_file is None:
            return self.call("POST", "/clock", {"advanceSeconds": seconds})
        write_clock(self.clock_file, read_clock(self.clock_file) + seconds)
        return self.clock()

    def set_clock(self, seconds):
        """The same, to an offset from the real time."""
        if self.clock_file is None:
            return self.call("POST", "/clock", {"offsetSeconds": seconds})
        write_clock(self.clock_file, seconds)
        return self.clock()

    def add_cloud_image(self, name="image", image_id=None, owner=PROJECT, **members):
        """Makes an image of Huawei Cloud; returns its id. Members: any attribute, min_ram=1024 and the like."""
        self.volumes_made += 1
        image_id = image_id or "5eed0000-0000-4000-8000-%012x" % self.volumes_made
        self.call("POST", "/cloudimages", dict(members, id=image_id, name=name, owner=owner))
        return image_id

    def generate_cloud_images(self, count, owner=PROJECT, prefix="aaaaaaaa", **attributes):
        """Makes many images of Huawei Cloud with these attributes; returns their ids."""
        self.call("POST", "/generate", {"kind": "cloudImage", "count": count, "compartmentId": owner,
                                        "prefix": prefix, "image": attributes})
        return ["%s-0000-4000-8000-%012x" % (prefix, n) for n in range(1, count + 1)]

    def cloud_image(self, image_id):
        """{"cloudImage": the attributes, "version", "updates", "hidden", "unreadable", ...}"""
        return self.call("GET", self._path(image_id))

    def cloud_images(self):
        """All of them by id, each as cloud_image() tells them."""
        return {item["cloudImage"]["id"]: item for item in self.call("GET", "/cloudimages")["cloudimages"]}

    def add_glance_image(self, name="image", image_id=None, owner=GLANCE_PROJECT, **attributes):
        """Makes an image of Glance; returns its id. Attributes: base ones, created_at and updated_at too, as JSON has
        them, and extra properties, which are texts."""
        self.volumes_made += 1
        image_id = image_id or "61a9ce00-0000-4000-8000-%012x" % self.volumes_made
        self.call("POST", "/glanceimages", dict(attributes, id=image_id, name=name, owner=owner))
        return image_id

    def generate_glance_images(self, count, owner=GLANCE_PROJECT, prefix="61a9ceaa", **attributes):
        """Makes many images of Glance with these attributes; returns their ids."""
        self.call("POST", "/generate", {"kind": "glanceImage", "count": count, "compartmentId": owner,
                                        "prefix": prefix, "image": attributes})
        return ["%s-0000-4000-8000-%012x" % (prefix, n) for n in range(1, count + 1)]

    @staticmethod
    def _glance(item):
        return dict(item, image=item["glanceImage"])

    def glance_image(self, image_id):
        """{"image": the attributes, "version", "updates", "hidden", "unreadable", ...}"""
        return self._glance(self.call("GET", "/glanceimages/" + image_id))

    def glance_images(self):
        """All of them by id, each as glance_image() tells them."""
        return {item["glanceImage"]["id"]: self._glance(item)
                for item in self.call("GET", "/glanceimages")["glanceimages"]}

    def share_glance_image(self, image_id, project, status="accepted"):
        """Shares an image, whose visibility must be shared, with a project, which accepted that or not."""
        return self.call("POST", "/glance/members", {"image": image_id, "member": project, "status": status})

    def add_keystone_user(self, name=KEYSTONE_USER, password=KEYSTONE_PASSWORD, user_id=None,
                          roles=("member", "reader"), projects=(GLANCE_PROJECT,), domain=KEYSTONE_DOMAIN,
                          domain_id=KEYSTONE_DOMAIN_ID):
        """Creates or replaces a user of Keystone with these roles in these projects; returns the id. Another password
        makes the user's tokens void. A user with the role "admin" sees and changes every image."""
        user_id = user_id or (KEYSTONE_USER_ID if name == KEYSTONE_USER else hashlib.md5(name.encode()).hexdigest())
        self.call("POST", "/keystone/users", {
            "id": user_id, "name": name, "password": password, "domain": {"id": domain_id, "name": domain},
            "projects": [{"id": project, "roles": list(roles)} for project in projects]})
        return user_id

    def remove_keystone_user(self, user_id=KEYSTONE_USER_ID):
        """Removes a user with all tokens."""
        return self.call("DELETE", "/keystone/users/" + user_id)

    def add_keystone_project(self, name, project_id=None, domain=KEYSTONE_DOMAIN, domain_id=KEYSTONE_DOMAIN_ID):
        """Creates or replaces a project of Keystone; returns the id."""
        project_id = project_id or hashlib.md5(name.encode()).hexdigest()
        self.call("POST", "/keystone/projects",
                  {"id": project_id, "name": name, "domain": {"id": domain_id, "name": domain}})
        return project_id

    def remove_keystone_project(self, project_id):
        return self.call("DELETE", "/keystone/projects/" + project_id)

    def add_application_credential(self, name, secret, credential_id=None, user=KEYSTONE_USER_ID,
                                   project=GLANCE_PROJECT, roles=("member", "reader"), expires=None):
        """Creates or replaces an application credential, which may expire (RFC 3339); returns the id."""
        credential_id = credential_id or hashlib.md5(name.encode()).hexdigest()
        credential = {"id": credential_id, "name": name, "secret": secret, "user": user, "project": project,
                      "roles": list(roles), "expiresAt": expires}
        self.call("POST", "/keystone/credentials",
                  {name: value for name, value in credential.items() if value is not None})
        return credential_id

    def remove_application_credential(self, credential_id=CREDENTIAL_ID):
        """Removes a credential with the tokens that were given for it."""
        return self.call("DELETE", "/keystone/credentials/" + credential_id)

    def revoke_keystone_tokens(self, user_id=None):
        """Makes all tokens of Keystone void, or those of one user."""
        return self.call("POST", "/keystone/revoke", {} if user_id is None else {"user": user_id})

    def image_endpoints(self, *urls, interface="public", region=GLANCE_REGION):
        """What the catalog has for images from now on: these URLs, or (interface, region, url) of each. "{base}" in
        them is the simulator's own base. Without any the image service is left out."""
        told = [(interface, region, url) if isinstance(url, str) else url for url in urls]
        return self.config(imageEndpoints=[{"interface": interface, "region": region, "url": url}
                                           for interface, region, url in told])

    def strip(self, image_id, *attributes):
        """Somebody's removal of attributes, past the API."""
        return self._resource_call(image_id, "strip", list(attributes))

    def add_user(self, name=HUAWEI_USER, password=HUAWEI_PASSWORD, domain=ACCOUNT, projects=((PROJECT, PROJECT_NAME),)):
        """Creates or replaces a user of IAM; another password makes the user's tokens void."""
        return self.call("POST", "/iam/users", {"name": name, "password": password, "domain": domain, "projects":
                                                [{"id": id, "name": of} for id, of in projects]})

    def add_access_key(self, access, secret, user=HUAWEI_USER, security_token=None, expires=None):
        """Creates or replaces an access key: a temporary one with security_token, which may expire (RFC 3339)."""
        key = {"access": access, "secret": secret, "user": user, "securityToken": security_token, "expiresAt": expires}
        return self.call("POST", "/iam/keys", {name: value for name, value in key.items() if value is not None})

    def remove_access_key(self, access):
        return self.call("DELETE", "/iam/keys/" + access)

    def revoke_tokens(self, user=None):
        """Makes all tokens of IAM void, or those of one user."""
        return self.call("POST", "/iam/revoke", {} if user is None else {"user": user})

    def huawei_signature(self, method, target, headers, signed_headers, secret=SECRET_KEY, body=None):
        """How the simulator signs a request: {"canonicalRequest", "stringToSign", "signature"}"""
        told = {"method": method, "target": target, "headers": headers, "signedHeaders": signed_headers,
                "secret": secret}
        return self.call("POST", "/signature", told if body is None else dict(told, body=body))

    def faulty(self, count=1, volume=None):
        """The next backups that are created, or those of one volume, become FAULTY."""
        return self.call("POST", "/faulty", {"count": count} if volume is None else
                         {"count": count, "volumeId": volume})

    @staticmethod
    def _right(operation, compartment):
        named = {"operation": operation, "compartmentId": compartment}
        return {name: value for name, value in named.items() if value is not None}

    def revoke(self, operation=None, compartment=None):
        """Takes away an operation, a compartment, or an operation in a compartment: 404 NotAuthorizedOrNotFound."""
        return self.call("POST", "/revoke", self._right(operation, compartment))

    def grant(self, operation=None, compartment=None):
        """Undoes a revoke() with the same arguments, all of them without arguments."""
        return self.call("POST", "/grant", self._right(operation, compartment))

    def hide(self, image_id, listed=False):
        """Hides a resource (listed=True: from GET and PUT alone) or a whole compartment or project."""
        if self._is_compartment(image_id):
            return self.call("POST", "/compartments/%s/hide" % urllib.parse.quote(image_id, safe=""))
        return self._resource_call(image_id, "hide", {"listed": listed})

    def show(self, image_id):
        if self._is_compartment(image_id):
            return self.call("POST", "/compartments/%s/show" % urllib.parse.quote(image_id, safe=""))
        return self._resource_call(image_id, "show")

    @staticmethod
    def _is_compartment(ocid):
        return ocid.startswith(("ocid1.compartment.", "ocid1.tenancy.")) or PROJECT_ID.fullmatch(ocid) is not None

    def fault(self, operation, fault, **parameters):
        """Adds one fault rule: fault("GetImage", "status", status=503, times=2, target=ocid)."""
        return self.call("POST", "/faults", dict(parameters, operation=operation, fault=fault))

    def faults(self):
        """The rules with "left", "skipLeft" and "fired"."""
        return self.call("GET", "/faults")

    def clear_faults(self):
        return self.call("DELETE", "/faults")

    def config(self, **settings):
        return self.call("POST", "/config", settings)

    def statistics(self):
        return self.call("GET", "/statistics")

    def reset(self):
        return self.call("POST", "/reset")

    def requests(self, operation=None):
        """The request log so far, of one operation or of all."""
        with open(self.log_file) as file:
            text = file.read()
        lines = [json.loads(line) for line in text.split("\n")[:-1]]
        return [line for line in lines if operation is None or line["operation"] == operation]


def write_private(path, text):
    """Writes a file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def write_oci_config(directory, key_pem=None, passphrase=None, profile="DEFAULT", region="us-phoenix-1",
                     tenancy=TENANCY, user=USER, fingerprint=FINGERPRINT, name="config", **more):
    """Writes an OCI config file and a copy of the key, both 0600; returns the path of the config file."""
    key_file = os.path.join(directory, name + ".key.pem")
    with open(key_pem or vectors("oci-test-key.pem")) as file:
        write_private(key_file, file.read())
    lines = ["[%s]" % profile, "user=" + user, "fingerprint=" + fingerprint, "tenancy=" + tenancy,
             "region=" + region, "key_file=" + key_file]
    if passphrase is not None:
        lines.append("pass_phrase=" + passphrase)
    lines += ["%s=%s" % item for item in more.items()]
    path = os.path.join(directory, name)
    write_private(path, "\n".join(lines) + "\n")
    return path


def write_clouds_yaml(directory, sim, cloud="lab", name="clouds.yaml", **changes):
    """Writes a clouds.yaml with one cloud, 0600, for the user with the password; returns its path. Changes are members
    of the cloud; a dictionary is merged into the one that is there, and None removes a member:
    write_clouds_yaml(directory, sim, auth={"password": "wrong"}, region_name=None)."""
    entry = {"auth": {"auth_url": sim.endpoint + "/identity/v3", "username": KEYSTONE_USER,
                      "password": KEYSTONE_PASSWORD, "project_name": GLANCE_PROJECT_NAME,
                      "user_domain_name": KEYSTONE_DOMAIN, "project_domain_name": KEYSTONE_DOMAIN},
             "region_name": GLANCE_REGION, "interface": "public", "identity_api_version": 3, "cacert": sim.ca_file}
    for member, value in changes.items():
        merged = dict(entry.get(member, {}), **value) if isinstance(value, dict) else value
        entry[member] = ({inner: one for inner, one in merged.items() if one is not None}
                         if isinstance(merged, dict) else merged)
    path = os.path.join(directory, name)
    lines = ["clouds:", "  %s:" % cloud]
    for member, value in entry.items():
        if isinstance(value, dict):
            lines += ["    %s:" % member] + ["      %s: %s" % (inner, json.dumps(one)) for inner, one in value.items()]
        elif value is not None:
            lines.append("    %s: %s" % (member, json.dumps(value)))
    write_private(path, "\n".join(lines) + "\n")
    return path
