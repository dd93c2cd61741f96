# SPDX-License-Identifier: Apache-2.0
"""A client of the REST door that believes nothing: every answer is held against the description
that the door itself gives, and that description against the schema of OpenAPI 3.0.

rest_judge.py BASE COMMAND...
  describe                    the description is valid
  ask STATUS METHOD PATH [BODY]   exits 1 unless STATUS comes; prints the body
  prove STREAM UDP_PORT       joins by a proof received on that port; prints the client
  hold STREAM COUNT FIRST     COUNT clients at 10.9.1.0 and on, by an administrator; prints ids
  renew STREAM                reads ids, a line each, and renews them; exits 1 unless all are there
Environment: CA, TOKEN, SCHEMA (OpenAPI 3.0's own, where it is there).
"""
import json
import os
import re
import socket
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import jsonschema


class Door:
    def __init__(self, base):
        self.base = base
        ca = os.environ.get("CA")
        self.context = ssl.create_default_context(cafile=ca) if ca else None
        self.token = os.environ.get("TOKEN")
        self.description = None

    def ask(self, method, path, body=None):
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(self.base + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.context) as reply:
                return self.judge(method, path, reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            return self.judge(method, path, error.code, error.headers, error.read())

    # An answer that the description does not know fails.
    def judge(self, method, path, status, headers, body):
        if self.description is None:
            return status, json.loads(body) if body else None
        operation = self.operation(method, path)
        if operation is None:
            assert status in (404, 405), f"{method} {path} is not described, and answers {status}"
            return status, json.loads(body)
        described = operation["responses"].get(str(status))
        assert described, f"{method} {path}: {status} is not described"
        if "content" not in described:
            assert not body, f"{method} {path}: {status} has a body"
            return status, None
        kind = headers.get_content_type()
        assert kind in described["content"], f"{method} {path}: {status} is of type {kind}"
        value = json.loads(body)
        schema = dict(described["content"][kind]["schema"], components=self.components)
        jsonschema.Draft4Validator(schema).validate(value)
        for name in described.get("headers", {}):
            assert headers.get(name), f"{method} {path}: {status} without {name}"
        return status, value

    def operation(self, method, path):
        path = urllib.parse.urlsplit(path).path
        for template, item in self.description["paths"].items():
            pattern = re.sub(r"\\{[a-z]+\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path):
                return item.get(method.lower())
        return None

    def describe(self):
        _, self.description = self.ask("GET", "/v1/openapi.json")
        self.components = self.description["components"]
        return self.description


def prove(door, stream, udp_port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("0.0.0.0", udp_port))
        receiver.settimeout(5)
        status, client = door.ask("POST", f"/v1/streams/{stream}/clients",
                                  json.dumps({"udp_port": udp_port, "proof": True}))
        assert status == 202, (status, client)
        payload, source = receiver.recvfrom(2048)
    found = re.fullmatch(rb"castgate-proof/1 ([0-9a-f]{32})\n", payload)
    assert found, payload
    told = (client["source"]["address"], client["source"]["udp_port"])
    assert source == told, f"the proof came from {source}, the stream is to come from {told}"
    path = f"/v1/streams/{stream}/clients/{client['id']}"
    status, wrong = door.ask("PUT", path, json.dumps({"nonce": "0" * 32}))
    assert status == 403, (status, wrong)
    status, client = door.ask("PUT", path, json.dumps({"nonce": found[1].decode()}))
    assert status == 200 and client["state"] == "active", (status, client)
    return client


def ask_again(door, *request):
    """Waits, as an answer of 503 says, for a worker that the system keeps from its core."""
    for _ in range(10):
        status, value = door.ask(*request)
        if status != 503:
            break
        time.sleep(1)
    return status, value


def hold(door, stream, count, first):
    for number in range(count):
        body = {"udp_port": 6000, "address": f"10.9.{1 + number // 250}.{first + number % 250}"}
        status, client = ask_again(door, "POST", f"/v1/streams/{stream}/clients", json.dumps(body))
        assert status == 201, (status, client)
        print(client["id"])


def renew(door, stream):
    for line in sys.stdin:
        status, client = ask_again(door, "PUT", f"/v1/streams/{stream}/clients/{line.strip()}")
        assert status == 200, (status, client)


def main(base, command, *words):
    door = Door(base)
    description = door.describe()
    if command == "describe":
        schema = os.environ.get("SCHEMA")
        if schema:
            with open(schema, encoding="utf-8") as file:
                jsonschema.Draft4Validator(json.load(file)).validate(description)
    elif command == "ask":
        status, value = door.ask(words[1], words[2], words[3] if len(words) > 3 else None)
        print(json.dumps(value))
        assert status == int(words[0]), f"{status}, not {words[0]}"
    elif command == "prove":
        print(json.dumps(prove(door, words[0], int(words[1]))))
    elif command == "hold":
        hold(door, words[0], int(words[1]), int(words[2]))
    elif command == "renew":
        renew(door, words[0])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
