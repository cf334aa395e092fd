"""For the tests of `imagekeeper sync`: repositories to fetch from, servers before them, and a world without a cloud."""
import base64
import contextlib
import http.server
import os
import random
import shutil
import ssl
import subprocess
import threading
import time

from case import Programs

SPEC = ("apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: %s}\n"
        "spec: {account: prod, imageId: ocid1.image.oc1.phx.%s, displayName: \"%s\"}\n")


class Upstream:
    """A repository with a work tree, as somebody who writes specs has it."""

    def __init__(self, folder):
        self.path = folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": os.path.dirname(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
                            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}
        os.mkdir(folder)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "uploadpack.allowFilter", "true")
        self.git("config", "gc.auto", "0")
        self.spec("a")
        self.first = self.commit()

    def git(self, *words, text=None, **environment):
        done = subprocess.run(["git", *words], cwd=self.path, env=dict(self.environment, **environment), input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=not isinstance(text, bytes), timeout=120)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout.strip()

    def write(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(text, bytes) else "w") as f:
            f.write(text)

    def spec(self, name, display="x", file=None):
        self.write(file or name + ".yaml", SPEC % (name, name, display))

    def link(self, name, target):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def commit(self, *words):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=change", *words)
        return self.head()

    def head(self):
        return self.git("rev-parse", "HEAD")

    def push(self, name="a", display=None):
        """A commit on top that changes one spec."""
        self.spec(name, display or "change %d" % random.getrandbits(64))
        return self.commit()


class SyncWorld(Programs):
    """Upstream in `up`, the directory in `state`."""

    def __init__(self, folder):
        Programs.__init__(self, folder)
        self.up = Upstream(os.path.join(folder, "up"))
        self.state = os.path.join(folder, "state")
        self.current = os.path.join(self.state, "current")
        self.configure()

    @classmethod
    @contextlib.contextmanager
    def made(cls, folder, start=None):
        yield cls(folder)

    def configure(self, **settings):
        settings = dict({"repository": "./up", "directory": "state"}, **settings)
        lines = ["  %s: %s\n" % (key, str(value).lower() if isinstance(value, bool) else value) for key, value in settings.items()]
        self.write_config("  - {name: prod, type: oci}\n", "sync:\n" + "".join(lines))

    def secret(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path

    def sync(self, status=0, **environment):
        return self.run("sync", **environment).expect(status)

    def synced(self, commit, n=None):
        """Runs it, and is sure of what is current then."""
        result = self.sync()
        assert result.out.startswith("current: %s (" % commit), result.out + result.err
        assert n is None or "(%d file" % n in result.out, result.out
        self.is_current(commit)
        return result

    def refused(self, commit, *words):
        """Runs it in vain: `commit` (None: nothing) is current as before. What it said."""
        result = self.sync(1)
        assert result.out == "" and result.err.startswith("imagekeeper: error: "), result.out + result.err
        assert result.err.count("\n") == 1, result.err
        for word in words:
            assert word in result.err, "%s is not in: %s" % (word, result.err)
        if commit:
            self.is_current(commit)
        else:
            assert not os.path.lexists(self.current)
        assert not [n for n in self.exports() if not n.isalnum()], self.exports()
        return result.err

    def is_current(self, commit):
        """Is it there whole: each file with the bytes it has in that commit, and no other?"""
        assert os.readlink(self.current) == "exports/" + commit, os.readlink(self.current)
        with open(self.current + "/.revision") as f:
            assert f.read() == commit + "\n"
        names = self.up.git("ls-tree", "-r", "-z", "--name-only", commit).split("\0")
        wanted = {n for n in names if n.endswith((".yaml", ".yml"))}
        assert self.files() == wanted, (self.files(), wanted)
        for name in wanted:
            path = os.path.join(self.current, name)
            if not os.path.islink(path):
                with open(path, "rb") as f:
                    assert f.read() == self.up.git("cat-file", "blob", "%s:%s" % (commit, name), text=b"") + b"\n", name

    def files(self):
        """Of specs, by their paths."""
        found = set()
        for root, _, names in os.walk(self.current):
            found |= {os.path.relpath(os.path.join(root, n), self.current) for n in names}
        return {n for n in found if n.endswith((".yaml", ".yml"))}

    def exports(self):
        path = os.path.join(self.state, "exports")
        return os.listdir(path) if os.path.exists(path) else []


class Server:
    """A repository by HTTP(S), with a token if wanted; it counts, and can be told to behave badly."""

    def __init__(self, world, token=None, user="git", tls=False, dumb=False):
        self.root, self.token, self.user, self.dumb = world.folder, token, user, dumb
        self.redirect = None  # the address that it sends everyone to
        self.echo = False     # a refusal that shows what was sent
        self.requests, self.pause = [], 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        if tls:
            self.ca_file = os.path.join(world.folder, "server.pem")
            key = os.path.join(world.folder, "server.key")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", self.ca_file, "-days", "2",
                            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca_file, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = "%s://127.0.0.1:%d/up" % ("https" if tls else "http", self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def _handler(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self)

            do_POST = do_GET
        return Handler

    def allows(self, request):
        wanted = "Basic " + base64.b64encode(("%s:%s" % (self.user, self.token)).encode()).decode()
        return not self.token or request.headers.get("Authorization") == wanted

    @staticmethod
    def plain(request, status, text, **headers):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Type", "text/plain")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text.encode())

    def answer(self, request):
        self.requests.append(request.path)
        time.sleep(self.pause)
        if self.redirect:
            return self.plain(request, 302, "", Location=self.redirect + request.path[len("/up"):])
        if self.echo and request.headers.get("Authorization"):
            sent = base64.b64decode(request.headers["Authorization"].split()[1]).decode()
            return self.plain(request, 403, "not with " + sent)
        if not self.allows(request):
            return self.plain(request, 401, "who are you", WWW_Authenticate="Basic realm=\"git\"")
        return self.serve_file(request) if self.dumb else self.backend(request)

    def serve_file(self, request):
        path = os.path.join(self.root, "up/.git", request.path.split("?")[0][len("/up/"):])
        if not os.path.isfile(path):
            return self.plain(request, 404, "")
        with open(path, "rb") as f:
            data = f.read()
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)
        return None

    def backend(self, request):
        """git http-backend by CGI."""
        path, _, query = request.path.partition("?")
        length = request.headers.get("Content-Length")
        body = request.rfile.read(int(length)) if length else self.chunks(request)
        environment = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": self.root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path.replace("/up", "/up/.git", 1),
                       "QUERY_STRING": query, "REQUEST_METHOD": request.command, "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                       "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
                       "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1", "GIT_CONFIG_NOSYSTEM": "1", "HOME": self.root}
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
        status = next((int(v.split()[0]) for n, v in headers if n == "Status"), 200)
        request.send_response(status)
        for name, value in headers:
            if name != "Status":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    @staticmethod
    def chunks(request):
        body = b""
        while request.headers.get("Transfer-Encoding") == "chunked":
            size = int(request.rfile.readline(), 16)
            body += request.rfile.read(size)
            request.rfile.readline()
            if size == 0:
                break
        return body


class SecretWatch:
    """Looks through the arguments and environments of all processes for a text, as long as it is there."""

    def __init__(self, text):
        self.text, self.found, self.looks, self.children = text.encode(), [], 0, set()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self.ended.is_set():
            for pid in filter(str.isdigit, os.listdir("/proc")):
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        with open("/proc/%s/%s" % (pid, name), "rb") as f:
                            data = f.read()
                        if self.text in data:
                            self.found.append((name, data))
                        if name == "environ" and b"IMAGEKEEPER_HELPER=" in data:
                            self.children.add(pid)
            self.looks += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def have(*programs):
    return all(shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin") for p in programs)
