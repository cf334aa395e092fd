"""What one would write with openstacksdk instead: lists the images, and updates those that are not as WANT (a file of
{id: {attribute: value}}) says. Needs the distribution's Python."""
import json
import sys

import openstack

with open(sys.argv[1]) as f:
    want = json.load(f)
connection = openstack.connect(cloud="lab")
for hidden in (False, True):
    for image in connection.image.images(visibility="all", is_hidden=hidden):
        have = dict(image.properties or {}, **{name: value for name, value in image.to_dict().items() if value is not None})
        different = {name: value for name, value in want.get(image.id, {}).items() if have.get(name) != value}
        if different:
            connection.image.update_image(image, **different)
