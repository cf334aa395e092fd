#!/usr/bin/env python3
"""GlanceImage against a real Glance and a real Keystone, beside other clients of the same images."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import openstack
from case import *
from openstack_world import *


# --- the clouds themselves, without the program under test ---


@case
def the_servers_are_what_the_tests_take_them_for(w):
    image = w.image("debian", hw_disk_bus="virtio", tags=["golden"])
    live = w.live(image)
    assert (live["status"], live["hw_disk_bus"], live["tags"], live["owner"]) == ("active", "virtio", ["golden"], w.cloud.ids["project"])
    assert w.live(w.image("empty", data=None))["status"] == "queued"
    w.client("image", "set", "--property", "hw_disk_bus=scsi", "--min-ram", "512", image)
    assert (w.live(image)["hw_disk_bus"], w.live(image)["min_ram"]) == ("scsi", 512)
    w.cloud.change(image, hw_disk_bus=None, hw_firmware_type="uefi")
    assert "hw_disk_bus" not in w.live(image) and w.live(image)["hw_firmware_type"] == "uefi"
    assert set(w.cloud.list()) == {r["answer"]["id"] for r in w.cloud.requests("PATCH")} | set(w.cloud.list(status="queued"))
    # A missing property cannot be replaced, one that is no text cannot be set, and the user is no administrator.
    for operation, status in (({"op": "replace", "path": "/gone", "value": "x"}, 409), ({"op": "add", "path": "/number", "value": 1}, 400),
                              ({"op": "replace", "path": "/visibility", "value": "public"}, 403)):
        try:
            w.cloud.patch(image, [operation])
        except openstack.OpenStackError as e:
            assert e.status == status, e
        else:
            raise AssertionError("%s was let through" % operation)


@case
def a_change_of_the_password_makes_tokens_void_and_the_application_credential_still_works(w):
    cloud = w.start(token_cache=-1)
    image, token = w.image(), cloud.token()
    cloud.revoke_tokens()
    status = lambda: openstack.call(cloud.image_url, "GET", "/v2/images/" + image, headers={"X-Auth-Token": token})[0]
    assert status() == 401
    w.rest()
    clouds = cloud.write_clouds_yaml(w.clouds_file, auth="v3applicationcredential")
    assert "image" in cloud.client("image", "show", "-c", "name", image, clouds=clouds)


if openstack.requires():
    skip(openstack.requires())
run(workers=2, world=OpenStackWorld)
