"""Worlds of the cases (case.py) whose cloud is OpenStack: a real Glance behind a real Keystone, or the simulator's."""
import contextlib
import json
import os
import tempfile
import time

import openstack
from case import LONG_AGO, Programs, Simulated, simulator

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


def glance_image_id(n):
    return "61a9ce00-7e57-4000-8000-%012x" % n


TOKEN_BEGINS = "gAAAA"  # of every token of Keystone


class GlanceWorld(Simulated):
    """In front of the simulator's OpenStack, with one account, `lab`."""

    def __init__(self, sim, folder):
        self.secrets = {simulator.KEYSTONE_PASSWORD, simulator.CREDENTIAL_SECRET, TOKEN_BEGINS}
        self.said = []  # all that the programs said
        Simulated.__init__(self, sim, folder)

    def prepare(self):
        self.clouds()

    def clouds(self, folder=None, name="clouds.yaml", cloud="lab", **changes):
        """Writes the clouds.yaml; see simulator.write_clouds_yaml for the changes."""
        return simulator.write_clouds_yaml(folder or self.folder, self.sim, cloud, name, **changes)

    def credential(self, by_name=False, **changes):
        """Writes the clouds.yaml with the application credential in place of the password."""
        auth = {"password": None, "username": None, "user_domain_name": None, "project_name": None, "project_domain_name": None,
                "application_credential_secret": simulator.CREDENTIAL_SECRET}
        if by_name:
            auth.update(application_credential_name=simulator.CREDENTIAL, username=simulator.KEYSTONE_USER, user_domain_name=simulator.KEYSTONE_DOMAIN)
        else:
            auth.update(application_credential_id=simulator.CREDENTIAL_ID)
        return self.clouds(auth_type="v3applicationcredential", auth=dict(auth, **changes))

    def account(self, name="lab", **settings):
        """`settings` are added, or replace the usual ones; None leaves one out."""
        usual = dict({"name": name, "type": "openstack", "cloud": "lab", "cloudsFile": "./clouds.yaml"}, **settings)
        return "  - %s\n" % json.dumps({key: value for key, value in usual.items() if value is not None})

    def spec(self, document="golden", /, target=None, file=None, reconcile="", account="lab", selector=None, **want):
        """One GlanceImage document."""
        self.document("GlanceImage", document, account, target or glance_image_id(1), selector, reconcile, file, want)

    def image(self, n=1, name=None, **members):
        """One that nobody has changed for long, unless it is said when."""
        members = dict({"created_at": LONG_AGO, "updated_at": LONG_AGO}, **members)
        return self.sim.add_glance_image(name or "image %d" % n, glance_image_id(n), **members)

    def shown(self, n):
        told = self.sim.glance_image(n if isinstance(n, str) else glance_image_id(n))
        return told["image"], told["updates"]

    def patches(self):
        return self.sim.requests("UpdateGlanceImage")

    def looks(self):
        return self.sim.requests("ShowGlanceImage")

    def pages(self):
        return self.sim.requests("ListGlanceImages")

    def logins(self):
        return self.sim.requests("CreateKeystoneToken")

    def run(self, *words, **how):
        result = Programs.run(self, *words, **how)
        self.said += [result.out or "", result.err]
        return result

    def check(self):
        Simulated.check(self)
        said = "\n".join(self.said + [line for d in self.daemons for line in d.lines + d.messages])
        shown = [secret for secret in self.secrets if secret in said]
        assert not shown, "a secret was shown: %s\n%s" % (shown, said)
