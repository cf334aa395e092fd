"""Runs inside Glance and Keystone: writes each request to a file before it is answered, so that who has an answer finds its line.

A line is {"start", "end", "method", "path", "query", "status", "agent", "user"}; of a PATCH also {"sent", "answer"}.
"""
import io
import json
import os
import time


class RequestLog:
    def __init__(self, application, path):
        self.application = application
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, environ, start_response):
        line = {"start": time.time(), "method": environ["REQUEST_METHOD"], "path": environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"],
                "query": environ.get("QUERY_STRING", ""), "agent": environ.get("HTTP_USER_AGENT", ""), "status": None}

        def start(status, headers, *more):
            line["status"] = int(status.split()[0])
            return start_response(status, headers, *more)

        patch = line["method"] == "PATCH"
        if patch:
            sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(sent)
        answer = self.application(environ, start)
        if patch:
            answer = [b"".join(answer)]
            line.update(sent=self._json(sent), answer=self._json(answer[0]))
        line.update(end=time.time(), user=environ.get("HTTP_X_USER_NAME"))
        os.write(self.file, (json.dumps(line) + "\n").encode())
        return answer

    @staticmethod
    def _json(text):
        try:
            return json.loads(text)
        except ValueError:
            return text.decode(errors="replace")


def filter_factory(_, path):
    """For Glance's paste.ini."""
    return lambda application: RequestLog(application, path)
