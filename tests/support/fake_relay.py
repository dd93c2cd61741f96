# SPDX-License-Identifier: Apache-2.0
"""A relay that is none: speaks castgate's REST door over one stream that it makes up.

fake_relay.py --listen 127.0.0.1:8080 --source 127.0.0.1:5000 --log FILE [--rate 1000] ...
Every relay with the same --begin sends the same packet at the same moment. What was asked of it and
what it did stands in the log, a JSON object a line. Nothing here is shared with castgate.
"""
import argparse
import hashlib
import http.server
import json
import random
import secrets
import signal
import socket
import ssl
import struct
import threading
import time

SSRC = 0x0c057ca5
TS_PACKETS = 7  # in a datagram
PROOF_AT = (0, 1, 2)  # seconds after the join


def media(position):
    """1316 bytes of MPEG-TS that tell their position."""
    seed = hashlib.sha256(position.to_bytes(8, "big")).digest() * 5
    packet = struct.pack("!BBBBQ", 0x47, 0x01, 0x00, 0x10 | position % 16, position) + seed
    return (packet[:188]).ljust(188, b"\xff") * TS_PACKETS


def rtp(position, first):
    return struct.pack("!BBHII", 0x80, 33, (first + position) & 0xffff,
                       position * 90 & 0xffffffff, SSRC) + media(position)


class Client:
    def __init__(self, address, port, proof, lease):
        self.id, self.nonce = secrets.token_hex(16), secrets.token_hex(16)
        self.address, self.port = address, port
        self.active = not proof
        self.joined, self.proofs = time.monotonic(), 0
        self.lease, self.packets, self.bytes = lease, 0, 0
        self.expires = self.joined + (lease if self.active else 10)


class Relay:
    def __init__(self, options):
        self.options, self.lock, self.clients = options, threading.Lock(), {}
        family = socket.AF_INET6 if ":" in options.source[0] else socket.AF_INET
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.udp.bind(options.source)
        options.source = self.udp.getsockname()[:2]
        self.log_file = open(options.log, "a", buffering=1)
        self.dice, self.loses = random.Random(options.seed), False

    def log(self, event, **more):
        self.log_file.write(json.dumps({"at": time.time(), "event": event, **more}) + "\n")

    def shown(self, client):
        return {"id": client.id, "stream": self.options.stream, "output": "homes",
                "address": client.address, "udp_port": client.port,
                "source": {"address": self.options.source[0], "udp_port": self.options.source[1]},
                "sequence": self.options.sequence,
                "state": "active" if client.active else "unproved", "lease_s": client.lease,
                "expires_in_s": max(0.0, client.expires - time.monotonic()),
                "packets": client.packets, "bytes": client.bytes, "drops": {"tx_full": 0}}

    def prove(self, client):
        """Once more, where it is time."""
        if client.active or client.proofs == len(PROOF_AT):
            return
        if time.monotonic() < client.joined + PROOF_AT[client.proofs]:
            return
        client.proofs += 1
        if client.proofs <= self.options.lose_proofs:
            return
        if self.options.forge:  # somebody else guesses, first from an address of his own
            with socket.socket(self.udp.family, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(b"castgate-proof/1 " + b"0" * 32 + b"\n",
                                (client.address, client.port))
                stranger.sendto(rtp(1, 0), (client.address, client.port))
            self.udp.sendto(b"castgate-proof/1 " + b"f" * 32 + b"\n",
                            (client.address, client.port))
        self.udp.sendto(f"castgate-proof/1 {client.nonce}\n".encode(),
                        (client.address, client.port))
        self.log("proof", id=client.id)

    def tend(self):
        with self.lock:
            now = time.monotonic()
            for client in list(self.clients.values()):
                self.prove(client)
                if client.expires < now:
                    self.log("expired", id=client.id)
                    del self.clients[client.id]
            return [client for client in self.clients.values() if client.active]

    def stream(self):
        options, position = self.options, 0
        if time.time() > options.begin:
            position = int((time.time() - options.begin) * options.rate)
        while options.count == 0 or position < options.count:
            ahead = options.begin + position / options.rate + options.delay - time.time()
            if ahead > 0:
                time.sleep(ahead)
            receivers = self.tend()
            lost = self.loses and self.dice.random() < options.lose
            lost = lost and position % options.lose_of[1] == options.lose_of[0]
            if receivers and not lost:
                packet = rtp(position, options.first)
                for client in receivers:
                    self.udp.sendto(packet, (client.address, client.port))
                    client.packets += 1
                    client.bytes += len(packet)
            position += 1
        while True:
            self.tend()
            time.sleep(0.05)


class Door(http.server.BaseHTTPRequestHandler):
    relay = None

    def log_message(self, *_):
        pass

    def answer(self, status, body=None, **headers):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        kind = "application/json" if status < 400 else "application/problem+json"
        for name, value in {"Content-Type": kind, "Content-Length": len(text), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(text)

    def problem(self, status, detail):
        self.answer(status, {"type": "about:blank", "title": self.responses[status][0],
                             "status": status, "detail": detail})

    def asked(self, method):
        """The body; nothing where the request is answered already."""
        options = self.relay.options
        length = int(self.headers.get("Content-Length", 0))
        text = self.rfile.read(length)
        self.relay.log(method, path=self.path, body=text.decode(),
                       bearer=self.headers.get("Authorization"))
        if options.token and self.headers.get("Authorization") != f"Bearer {options.token}":
            return self.problem(401, "the token is missing or wrong")
        if options.redirect:
            return self.answer(307, Location=options.redirect + self.path)
        if not self.path.startswith(f"/v1/streams/{options.stream}/clients"):
            return self.problem(404, "there is no such stream")
        return json.loads(text or b"{}")

    def do_POST(self):
        body = self.asked("POST")
        if body is None:
            return
        relay, peer = self.relay, self.client_address[0]
        address = body.get("address", peer.removeprefix("::ffff:"))
        with relay.lock:
            for client in relay.clients.values():
                if (client.address, client.port) == (address, body["udp_port"]):
                    return self.answer(200, relay.shown(client))
            client = Client(address, body["udp_port"], body.get("proof", False),
                            relay.options.lease)
            relay.clients[client.id] = client
            relay.log("joined", id=client.id, udp_port=client.port)
            self.answer(201 if client.active else 202, relay.shown(client),
                        Location=f"{self.path}/{client.id}")

    def found(self):
        client = self.relay.clients.get(self.path.rsplit("/", 1)[1])
        if client is None:
            self.problem(404, "there is no such client")
        return client

    def do_PUT(self):
        body = self.asked("PUT")
        if body is None:
            return
        with self.relay.lock:
            client = self.found()
            if client is None:
                return
            if "nonce" in body and body["nonce"] != client.nonce:
                return self.problem(403, "this is not the nonce")
            client.active = client.active or "nonce" in body
            client.expires = time.monotonic() + client.lease
            self.answer(200, self.relay.shown(client))

    def do_DELETE(self):
        if self.asked("DELETE") is None:
            return
        with self.relay.lock:
            client = self.found()
            if client is None:
                return
            del self.relay.clients[client.id]
            self.relay.log("left", id=client.id, packets=client.packets)
            self.answer(204)


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", type=endpoint, required=True)
    parser.add_argument("--source", type=endpoint, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--stream", default="news1")
    parser.add_argument("--sequence", default="rtp")
    parser.add_argument("--rate", type=int, default=1000, help="packets a second")
    parser.add_argument("--count", type=int, default=0, help="packets; 0: without end")
    parser.add_argument("--first", type=int, default=60000, help="first sequence number")
    parser.add_argument("--begin", type=float, default=time.time())
    parser.add_argument("--delay", type=float, default=0, help="seconds behind the others")
    parser.add_argument("--lose", type=float, default=0,
                        help="part of the packets, from SIGUSR1 until SIGUSR2")
    parser.add_argument("--lose-of", type=lambda text: [int(n) for n in text.split("/")],
                        default=[0, 1], help="REMAINDER/N: only positions with this remainder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lease", type=int, default=60)
    parser.add_argument("--lose-proofs", type=int, default=0)
    parser.add_argument("--forge", action="store_true")
    parser.add_argument("--token")
    parser.add_argument("--redirect", help="http://HOST:PORT of the relay that serves")
    parser.add_argument("--certificate", help="PEM with its key: TLS")
    return parser.parse_args()


def main():
    options = parse()
    relay = Door.relay = Relay(options)
    http.server.ThreadingHTTPServer.address_family = (
        socket.AF_INET6 if ":" in options.listen[0] else socket.AF_INET)
    server = http.server.ThreadingHTTPServer(options.listen, Door)
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    relay.log("ready", port=server.server_address[1])
    signal.signal(signal.SIGUSR1, lambda *_: setattr(relay, "loses", True))
    signal.signal(signal.SIGUSR2, lambda *_: setattr(relay, "loses", False))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    relay.stream()


if __name__ == "__main__":
    main()
