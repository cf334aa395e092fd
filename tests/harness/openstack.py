"""A real Glance behind a real Keystone, from Debian's packages, on loopback. Standard library alone.

    with OpenStack() as cloud:
        image = cloud.create_image("debian", hw_disk_bus="virtio")
        cloud.write_clouds_yaml(path, auth="v3applicationcredential")
        ... run the program under test ...
        assert cloud.show(image)["hw_disk_bus"] == "scsi"
        assert not cloud.requests("PATCH")

Each has a directory, ports and databases of its own. The databases are made once in a run of a program and copied from then on.
The servers die with the thread that started them.
"""
import atexit
import http.client
import json
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # the distribution's own Python
NEEDED = {"glance-api": ["/usr/bin/glance-api", "/usr/bin/glance-manage"], "keystone": ["/usr/bin/keystone-manage"],
          "uwsgi-plugin-python3": ["/usr/bin/uwsgi_python3"], "python3-openstackclient": ["/usr/bin/openstack"],
          "util-linux": ["/usr/bin/setpriv"]}
PATCH_TYPE = "application/openstack-images-v2.1-json-patch"
KEYSTONE_URL, GLANCE_URL = "http://keystone.invalid", "http://glance.invalid"  # in the prepared catalog
PROJECT, USER, USER_PASSWORD = "lab", "lab", "Lab-Password-1"
ADMIN, ADMIN_PASSWORD = "admin", "Admin-Password-1"
CREDENTIAL, CREDENTIAL_SECRET = "lab-credential", "Lab-Secret-1"
REGION = "RegionOne"


def requires():
    """Why there can be no OpenStack here, or None."""
    missing = [package for package, files in NEEDED.items() if not all(os.path.exists(file) for file in files)]
    return "not installed: " + ", ".join(missing) if missing else None


class OpenStackError(Exception):
    def __init__(self, what, status, text):
        Exception.__init__(self, "%s: %d %s" % (what, status, text[:500]))
        self.status, self.text = status, text


def call(url, method, path, body=None, headers=(), timeout=120):
    """One request; its status, headers and body."""
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def _free_port():
    """A port below those that outgoing connections take."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def write(path, text, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as f:
        os.fchmod(f.fileno(), mode)
        f.write(text)


def _read_log(path, method, agent):
    """The lines of a request log, of one method or all, of clients whose User-Agent contains `agent`."""
    with open(path) as f:
        lines = [json.loads(line) for line in f.read().split("\n")[:-1]]
    return [line for line in lines if method in (None, line["method"]) and agent in line["agent"] and line["path"] not in ("/", "/healthcheck")]


class _Server:
    """One process, gone with the thread that started it, its output in a file."""

    def __init__(self, folder, command, **environment):
        self.out = os.path.join(folder, "out")
        env = {"PATH": PATH, "HOME": folder, "PYTHONPATH": os.path.join(HERE, "wsgi"), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
        with open(self.out, "ab") as out:
            self.process = subprocess.Popen(["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"] + command, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, cwd=folder, env=dict(env, **environment))

    def wait_for(self, url, path, timeout=120):
        """Whether it answers; False when it has ended, as one does whose port somebody else took meanwhile."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            try:
                if call(url, "GET", path)[0] < 500:
                    return True
            except OSError:
                pass
            if time.monotonic() > end:
                raise RuntimeError("%s does not answer after %d s\n%s" % (url, timeout, self.said()))
            time.sleep(0.02)
        return False

    def said(self):
        with open(self.out, errors="replace") as f:
            return f.read()[-4000:]

    def stop(self, timeout=20):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _manage(folder, program, *words, **environment):
    done = subprocess.run(["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", program] + list(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, cwd=folder, env=dict({"PATH": PATH, "HOME": folder}, **environment), timeout=300)
    if done.returncode != 0:
        raise RuntimeError("%s %s ended with %d\n%s" % (program, words[-1], done.returncode, done.stdout[-4000:]))


def _wal(path):
    """Without it readers and writers lock each other out."""
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode=WAL")


class _Keystone:
    def __init__(self, folder, token_life):
        self.folder, self.server, self.url = folder, None, None
        self.database, self.log = os.path.join(folder, "keystone.sqlite"), os.path.join(folder, "requests.jsonl")
        for name in ("fernet", "credential"):
            os.makedirs(os.path.join(folder, name), mode=0o700, exist_ok=True)
        write(os.path.join(folder, "keystone.conf"), """\
[DEFAULT]
log_file = %(folder)s/keystone.log
use_stderr = false
[database]
connection = sqlite:///%(database)s
sqlite_synchronous = false
[cache]
enabled = true
backend = dogpile.cache.memory
[token]
provider = fernet
expiration = %(life)d
[fernet_tokens]
key_repository = %(folder)s/fernet
[fernet_receipts]
key_repository = %(folder)s/fernet
[credential]
key_repository = %(folder)s/credential
[identity]
password_hash_rounds = 4
""" % {"folder": folder, "database": self.database, "life": token_life})

    def manage(self, *words):
        _manage(self.folder, "/usr/bin/keystone-manage", "--config-file", os.path.join(self.folder, "keystone.conf"), *words)

    def bootstrap(self):
        self.manage("db_sync")
        _wal(self.database)
        owner = ["--keystone-user", "root", "--keystone-group", "root"] if os.geteuid() == 0 else []
        self.manage("fernet_setup", *owner)
        self.manage("credential_setup", *owner)
        self.manage("bootstrap", "--bootstrap-username", ADMIN, "--bootstrap-password", ADMIN_PASSWORD, "--bootstrap-project-name", ADMIN,
                    "--bootstrap-role-name", "admin", "--bootstrap-service-name", "keystone", "--bootstrap-region-id", REGION,
                    *(word for interface in ("public", "internal", "admin") for word in ("--bootstrap-%s-url" % interface, KEYSTONE_URL + "/v3")))

    def launch(self):
        port = _free_port()
        self.url = "http://127.0.0.1:%d" % port
        self.server = _Server(self.folder, [
            "/usr/bin/uwsgi_python3", "--http-socket", "127.0.0.1:%d" % port, "--add-header", "Connection: close", "--wsgi-file",
            os.path.join(HERE, "wsgi", "keystone.wsgi"), "--processes", "1", "--threads", "2", "--buffer-size", "65535", "--die-on-term",
            "--need-app", "--disable-logging"], OS_KEYSTONE_CONFIG_DIR=self.folder, REQUEST_LOG=self.log)

    def answers(self):
        return self.server.wait_for(self.url, "/v3")


class _Glance:
    def __init__(self, folder):
        self.folder, self.server, self.url = folder, None, None
        self.database, self.log = os.path.join(folder, "glance.sqlite"), os.path.join(folder, "requests.jsonl")
        for name in ("images", "lock", "tmp", "policy.d"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)

    def configure(self, port, keystone, token_cache, protection):
        values = {"folder": self.folder, "database": self.database, "log": self.log, "port": port, "keystone": keystone, "admin": ADMIN,
                  "password": ADMIN_PASSWORD, "token_cache": token_cache, "protection": ""}
        if protection:
            write(os.path.join(self.folder, "protection.conf"), protection)
            values["protection"] = "property_protection_file = %(folder)s/protection.conf\nproperty_protection_rule_format = roles\n" % values
        # No workers: one process that is easy to end. Its green threads serve requests at the same time as well.
        write(os.path.join(self.folder, "glance-api.conf"), """\
[DEFAULT]
bind_host = 127.0.0.1
bind_port = %(port)s
workers = 0
log_file = %(folder)s/glance.log
use_stderr = false
node_staging_uri = file://%(folder)s/tmp
limit_param_default = 25
api_limit_max = 1000
public_endpoint = http://127.0.0.1:%(port)s
%(protection)s[database]
connection = sqlite:///%(database)s
sqlite_synchronous = false
[glance_store]
stores = file
default_store = file
filesystem_store_datadir = %(folder)s/images
[oslo_concurrency]
lock_path = %(folder)s/lock
[oslo_policy]
policy_dirs = %(folder)s/policy.d
[paste_deploy]
config_file = %(folder)s/paste.ini
[task]
work_dir = %(folder)s/tmp
[keystone_authtoken]
www_authenticate_uri = %(keystone)s/v3
auth_url = %(keystone)s/v3
auth_type = password
username = %(admin)s
password = %(password)s
user_domain_id = default
project_name = admin
project_domain_id = default
service_token_roles_required = false
token_cache_time = %(token_cache)d
""" % values)
        write(os.path.join(self.folder, "paste.ini"), """\
[pipeline:glance-api]
pipeline = requestlog healthcheck versionnegotiation authtoken context rootapp
[composite:rootapp]
paste.composite_factory = glance.api:root_app_factory
/: apiversions
/v2: apiv2app
[app:apiversions]
paste.app_factory = glance.api.versions:create_resource
[app:apiv2app]
paste.app_factory = glance.api.v2.router:API.factory
[filter:requestlog]
paste.filter_factory = request_log:filter_factory
path = %(log)s
[filter:healthcheck]
paste.filter_factory = oslo_middleware:Healthcheck.factory
[filter:versionnegotiation]
paste.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter.factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
[filter:context]
paste.filter_factory = glance.api.middleware.context:ContextMiddleware.factory
""" % values)

    @property
    def command(self):
        return ["--config-file", os.path.join(self.folder, "glance-api.conf")]

    def create_database(self):
        self.configure(0, KEYSTONE_URL, 0, None)
        _manage(self.folder, "/usr/bin/glance-manage", *self.command, "db_sync")
        _wal(self.database)

    def launch(self, keystone, token_cache, protection):
        port = _free_port()
        self.url = "http://127.0.0.1:%d" % port
        self.configure(port, keystone, token_cache, protection)
        self.server = _Server(self.folder, ["/usr/bin/glance-api"] + self.command)

    def answers(self):
        return self.server.wait_for(self.url, "/healthcheck")


_prepared = None
_prepare_lock = threading.Lock()


def _prepare():
    """A folder with databases and keys in which project, user, credential and catalog are; made once."""
    global _prepared
    with _prepare_lock:
        if _prepared is None:
            folder = tempfile.mkdtemp(prefix="ik-openstack-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            cloud = OpenStack(folder)
            glance = threading.Thread(target=cloud.glance.create_database)
            glance.start()
            cloud.keystone.bootstrap()
            try:
                cloud._launch(glance=False)
                ids = cloud._fill()
            finally:
                cloud.stop()
                glance.join()
            os.unlink(cloud.keystone.log)
            _prepared = folder, ids
        return _prepared


class OpenStack:
    """token_life: seconds; token_cache: for how many seconds Glance believes what it heard of a token, -1 for none;
    protection: text of Glance's property_protection_file."""

    def __init__(self, directory=None, token_life=3600, token_cache=10, protection=None):
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="ik-openstack-")
        self.token_cache, self.protection = token_cache, protection
        folders = [os.path.join(self.directory, name) for name in ("keystone", "glance")]
        for folder in folders:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        self.keystone, self.glance = _Keystone(folders[0], token_life), _Glance(folders[1])
        self.ids = {}
        self._tokens = {}

    # --- up and down ---

    def start(self):
        prepared, self.ids = _prepare()
        for name in ("keystone/keystone.sqlite", "glance/glance.sqlite"):
            with sqlite3.connect(os.path.join(prepared, name)) as database, sqlite3.connect(os.path.join(self.directory, name)) as copy:
                database.backup(copy)
            _wal(os.path.join(self.directory, name))
        for name in ("fernet", "credential"):
            shutil.copytree(os.path.join(prepared, "keystone", name), os.path.join(self.directory, "keystone", name), dirs_exist_ok=True)
        try:
            self._launch()
            with sqlite3.connect(self.keystone.database, timeout=60) as database:
                for placeholder, url in ((KEYSTONE_URL, self.keystone.url), (GLANCE_URL, self.glance.url)):
                    database.execute("UPDATE endpoint SET url = replace(url, ?, ?)", (placeholder, url))
        except BaseException:
            self.stop()
            raise
        return self

    def _launch(self, glance=True):
        for _ in range(5):
            self.keystone.launch()
            if glance:
                self.glance.launch(self.keystone.url, self.token_cache, self.protection)
            if self.keystone.answers() and (not glance or self.glance.answers()):
                return
            said = [server.said() for server in (self.keystone.server, self.glance.server) if server]
            self.stop()
        raise RuntimeError("they do not start\n" + "\n".join(said))

    def stop(self):
        for server in (self.glance.server, self.keystone.server):
            if server:
                server.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.own_directory:
                shutil.rmtree(self.directory, ignore_errors=True)

    # --- Keystone ---

    @property
    def auth_url(self):
        return self.keystone.url + "/v3"

    @property
    def image_url(self):
        return self.glance.url

    def new_token(self, user=USER):
        """A token of a user's own, by password: lab (which is no administrator) or admin, each in the project of its name."""
        password = ADMIN_PASSWORD if user == ADMIN else USER_PASSWORD
        domain = {"id": "default"}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": user, "domain": domain, "password": password}}},
                         "scope": {"project": {"name": ADMIN if user == ADMIN else PROJECT, "domain": domain}}}}
        status, headers, text = call(self.keystone.url, "POST", "/v3/auth/tokens", json.dumps(body), {"Content-Type": "application/json"})
        if status != 201:
            raise OpenStackError("a token for " + user, status, text)
        return headers["X-Subject-Token"]

    def token(self, user=USER):
        if user not in self._tokens:
            self._tokens[user] = self.new_token(user)
        return self._tokens[user]

    def _json(self, url, user, method, path, body=None, type="application/json", agent="harness"):
        for first in (True, False):
            status, _, text = call(url, method, path, None if body is None else json.dumps(body),
                                    {"X-Auth-Token": self.token(user), "Content-Type": type, "User-Agent": agent})
            if status != 401 or not first:
                break
            del self._tokens[user]  # it has ended
        if status >= 300:
            raise OpenStackError("%s %s" % (method, path), status, text)
        return json.loads(text) if text else None

    def identity(self, method, path, body=None, user=ADMIN):
        return self._json(self.keystone.url, user, method, "/v3" + path, body)

    def _fill(self):
        """The project, the user, the application credential, the catalog; their ids."""
        ids = {"project": self.identity("POST", "/projects", {"project": {"name": PROJECT, "domain_id": "default"}})["project"]["id"],
               "user": self.identity("POST", "/users", {"user": {"name": USER, "domain_id": "default", "password": USER_PASSWORD}})["user"]["id"]}
        roles = {role["name"]: role["id"] for role in self.identity("GET", "/roles")["roles"]}
        for name in ("member", "reader"):
            self.identity("PUT", "/projects/%s/users/%s/roles/%s" % (ids["project"], ids["user"], roles[name]))
        service = self.identity("POST", "/services", {"service": {"type": "image", "name": "glance"}})["service"]["id"]
        for interface in ("public", "internal", "admin"):
            self.identity("POST", "/endpoints", {"endpoint": {"interface": interface, "region_id": REGION, "service_id": service, "url": GLANCE_URL}})
        credential = {"name": CREDENTIAL, "secret": CREDENTIAL_SECRET, "roles": [{"name": "member"}, {"name": "reader"}]}
        ids["credential"] = self.identity("POST", "/users/%s/application_credentials" % ids["user"], {"application_credential": credential},
                                          user=USER)["application_credential"]["id"]
        return ids

    def revoke_tokens(self):
        """Makes all tokens of the user void, as a change of the password does, to the same one. Keystone compares whole
        seconds: tokens of this second and of the next are void as well, so wait for the one after."""
        self.identity("PATCH", "/users/" + self.ids["user"], {"user": {"password": USER_PASSWORD}})
        self._tokens.pop(USER, None)

    def write_clouds_yaml(self, path, auth="password", name="lab", password=USER_PASSWORD, secret=CREDENTIAL_SECRET, user=USER):
        """A clouds.yaml that only its owner may read; returns its path."""
        lines = ["clouds:", "  %s:" % name, "    region_name: " + REGION, "    interface: public", "    identity_api_version: 3"]
        if auth == "v3applicationcredential":
            lines.append("    auth_type: v3applicationcredential")
            values = {"application_credential_id": self.ids["credential"], "application_credential_secret": secret}
        else:
            values = {"username": user, "password": ADMIN_PASSWORD if user == ADMIN else password, "user_domain_name": "Default",
                      "project_name": ADMIN if user == ADMIN else PROJECT, "project_domain_name": "Default"}
        lines += ["    auth:", "      auth_url: " + self.auth_url] + ["      %s: %s" % item for item in values.items()]
        write(path, "\n".join(lines) + "\n")
        return path

    # --- Glance ---

    def image_api(self, method, path, body=None, user=USER, **more):
        return self._json(self.glance.url, user, method, "/v2" + path, body, **more)

    def create_image(self, name, data=b"data", user=USER, **members):
        """Makes an image, `active` with data and `queued` with None; returns its id. Members: any attribute or property."""
        image = self.image_api("POST", "/images", dict(members, name=name, disk_format="raw", container_format="bare"), user)["id"]
        if data is not None:
            status, _, text = call(self.glance.url, "PUT", "/v2/images/%s/file" % image, data,
                                    {"X-Auth-Token": self.token(user), "Content-Type": "application/octet-stream"})
            if status != 204:
                raise OpenStackError("data of " + image, status, text)
        return image

    def show(self, image, user=USER):
        return self.image_api("GET", "/images/" + image, user=user)

    def patch(self, image, operations, user=USER, agent="harness"):
        """[{"op", "path", "value"}, ...] as another client sends them; the image as it was answered."""
        return self.image_api("PATCH", "/images/" + image, operations, user, type=PATCH_TYPE, agent=agent)

    def change(self, image, user=USER, agent="harness", **members):
        """Sets attributes and properties; None removes a property."""
        return self.patch(image, [{"op": "remove", "path": "/" + name} if value is None else {"op": "add", "path": "/" + name, "value": value}
                                  for name, value in members.items()], user, agent)

    def delete(self, image, user=USER):
        self.image_api("DELETE", "/images/" + image, user=user)

    def list(self, user=USER, **filters):
        """All images by id."""
        images, path = {}, "/images?" + urllib.parse.urlencode(dict(filters, limit=1000))
        while path:
            page = self.image_api("GET", path, user=user)
            images.update((image["id"], image) for image in page["images"])
            path = page.get("next", "")[len("/v2"):]
        return images

    # --- what they were asked ---

    def requests(self, method=None, agent=""):
        """What Glance was asked, in the order of the answers."""
        return _read_log(self.glance.log, method, agent)

    def auth_requests(self, method=None, agent=""):
        """What Keystone was asked."""
        return _read_log(self.keystone.log, method, agent)

    def client(self, *words, clouds, name="lab"):
        """The `openstack` command, which is another client than the program under test; what it printed."""
        done = subprocess.run(["/usr/bin/openstack", "--os-cloud", name] + list(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={"PATH": PATH, "HOME": self.directory, "OS_CLIENT_CONFIG_FILE": clouds, "LC_ALL": "C.UTF-8"}, timeout=300)
        if done.returncode != 0:
            raise RuntimeError("openstack %s ended with %d\n%s" % (" ".join(words), done.returncode, done.stderr))
        return done.stdout
