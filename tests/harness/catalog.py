"""Reads a message catalog of the journal."""
import collections
import re

CATALOG = "units/imagekeeper.catalog"

Entry = collections.namedtuple("Entry", "subject text fields")


def entries(text):
    """MESSAGE_ID -> Entry, of a catalog's source or of what `journalctl --dump-catalog` shows. An id that stands twice is an error."""
    found = {}
    for message_id, entry in re.findall(r"^-- ([0-9a-f]{32})\n(.*?)(?=^-- |\Z)", re.sub(r"^#.*\n", "", text, flags=re.M), re.M | re.S):
        head, _, body = entry.partition("\n\n")
        subject = re.search("^Subject: (.+)$", head, re.M)
        assert message_id not in found, message_id + " has two entries"
        found[message_id] = Entry(subject and subject[1], body.strip(), set(re.findall("@([A-Z_]+)@", entry)))
    return found
