"""Keystone with the request log around it, for uwsgi."""
import os

from keystone.server.wsgi import initialize_public_application
from request_log import RequestLog

application = RequestLog(initialize_public_application(), os.environ["REQUEST_LOG"])
