"""A world of the cases (case.py) whose cloud is a real Glance behind a real Keystone."""
import contextlib
import os
import tempfile
import time

import openstack
from case import Programs

OURS = "imagekeeper"  # in the User-Agent
REST = 3  # seconds after which an image has not been changed just now, by clocks of whole seconds


class OpenStackWorld(Programs):
    def __init__(self, folder, stack):
        Programs.__init__(self, folder)
        self._stack, self._cloud = stack, None
        self.clouds_file = os.path.join(folder, "clouds.yaml")
        self.refused = set()  # statuses that PATCHes of ours may get besides 200

    @classmethod
    @contextlib.contextmanager
    def made(cls, folder, start=None):
        with contextlib.ExitStack() as stack:
            yield cls(folder, stack)

    def start(self, auth="password", **options):
        """Starts the cloud, with options of openstack.OpenStack; a case that needs none need not call it."""
        self._cloud = self._stack.enter_context(openstack.OpenStack(tempfile.mkdtemp(dir=self.folder), **options))
        self.configure(auth=auth)
        return self._cloud

    @property
    def cloud(self):
        return self._cloud or self.start()

    def check(self):
        if self._cloud:
            wrong = [r for r in self.patches() if r["status"] != 200 and r["status"] not in self.refused]
            assert not wrong, "Glance refused what was sent: %s" % wrong

    def configure(self, top="", account="", auth="password", **credentials):
        self.cloud.write_clouds_yaml(self.clouds_file, auth, **credentials)
        self.write_config("  - name: lab\n    type: openstack\n    cloud: lab\n    cloudsFile: %s\n%s" % (self.clouds_file, account), top)

    def spec(self, document="golden", /, target=None, selector=None, reconcile="", account="lab", file=None, **want):
        """One GlanceImage document."""
        self.document("GlanceImage", document, account, target, selector, reconcile, file, want)

    def image(self, name="image", **members):
        return self.cloud.create_image(name, **members)

    def live(self, image):
        return self.cloud.show(image)

    def patches(self, image=None):
        """The PATCHes that the program under test sent."""
        return [r for r in self.cloud.requests("PATCH", OURS) if image is None or r["path"].endswith("/" + image)]

    def client(self, *words):
        """The `openstack` command as another client uses it, with the password."""
        return self.cloud.client(*words, clouds=self.cloud.write_clouds_yaml(os.path.join(self.folder, "other-clouds.yaml")))

    def rest(self):
        """Lets what was just changed become old enough to be decided on at the first look."""
        time.sleep(REST)
