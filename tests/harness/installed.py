"""What `make install` puts there, in a folder of a test's own."""
import os
import subprocess


def install(root):
    """Installs what has been built below `root`."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "DESTDIR", "TESTS")}
    done = subprocess.run(["make", "-s", "install", "DESTDIR=" + root], cwd=os.environ["builddir"], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def find(root, name):
    """The path of the one file of that name below `root`."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(root) if name in names]
    assert len(found) == 1, (name, found)
    return found[0]


def unit_folder(root):
    return os.path.dirname(find(root, "imagekeeperd.service"))
