"""A product that receives events (POST /events) and decides about changes (POST /decisions).

Needs Python 3.9 or newer and no packages:

    DELIVERY_SIGNING_KEY=whsec_... PORT=8090 python3 receiver.py

DELIVERY_SIGNING_KEY  one key, or two keys separated by a blank while one replaces the other
DECISION_SIGNING_KEY  the same for questions; without it they are checked with the keys above
PORT                  0 takes a free port; the address is printed
"""

import base64
import hmac
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# An older message may be a replay of a recorded one. Keep the machine's clock right.
TOLERANCE_SECONDS = 5 * 60

# Events have a few KB. The limit keeps a stranger from filling the memory.
LARGEST_BODY = 1024 * 1024

# A real product keeps the ids in its database, under a unique index, and inserts an id in the same
# transaction as what the event does. Here they are lost when the program ends.
seen_ids = set()
seen_ids_lock = threading.Lock()


def read_keys(setting):
    """The keys of a setting: `whsec_` and base64, separated by blanks."""
    keys = []
    for text in os.environ.get(setting, "").split():
        try:
            key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
            sys.exit(f"{setting} must be `whsec_` and the base64 of 24 to 64 bytes")
        keys.append(key)
    return keys


def why_not_genuine(keys, headers, body, now):
    """Why a message is refused; None if one of the keys has signed exactly this body."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "")
    if not message_id or not timestamp or not signatures:
        return "a webhook-* header is missing"
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return "the timestamp is not within five minutes of this machine's clock"
    # The bytes as they arrived: JSON that was parsed and written again has another signature.
    signed = f"{message_id}.{timestamp}.".encode("latin-1") + body
    expected = [base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    # Several signatures are separated by blanks; one that matches is enough.
    for entry in signatures.split(" "):
        version, _, signature = entry.partition(",")
        for one in expected:
            # compare_digest takes the same time wherever the first difference is; `==` doesn't.
            if version == "v1" and hmac.compare_digest(signature.encode("latin-1"), one):
                return None
    return "no signature matches"


def receive(event):
    """Takes an event; returns the status and the answer."""
    if not all(isinstance(event.get(name), str) for name in ("id", "type", "subject")):
        return 400, None
    with seen_ids_lock:
        is_new = event["id"] not in seen_ids
        seen_ids.add(event["id"])
    if is_new:
        # Store the event or put it in a queue here, and do slow work after the answer. A type that
        # this program doesn't know is acknowledged as well: any other answer brings it again.
        print(event["type"], event["subject"], flush=True)
    return 204, None


def decide(question):
    """Accepts or rejects a change. It only looks: the event that follows says what came of it."""
    change, subscription = question.get("change"), question.get("subscription")
    known = question.get("type") == "saas-fulfillment.decision.v1"
    if not known or not isinstance(change, dict) or not isinstance(subscription, dict):
        return 400, None
    in_use = seats_in_use(subscription.get("id"))
    seats = change.get("to") if change.get("of") == "seats" else None
    decision = {"decision": "accept"}
    if isinstance(seats, int) and seats < in_use:
        decision = {"decision": "reject", "reason": f"{in_use} seats are in use"}
    print(question["type"], subscription.get("id"), decision["decision"], flush=True)
    return 200, decision


def seats_in_use(subscription_id):
    """A real product looks this up, quickly: the answer is due within three seconds."""
    return 3


class Product(BaseHTTPRequestHandler):
    timeout = 10  # seconds to wait for the next bytes of a request

    def do_POST(self):
        routes = {"/events": (EVENT_KEYS, receive), "/decisions": (DECISION_KEYS, decide)}
        if self.path not in routes:
            return self.answer(404)
        length = self.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,12}", length):
            return self.answer(411)
        if int(length) > LARGEST_BODY:
            return self.answer(413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return None  # the sender went away in the middle of its request
        keys, handle = routes[self.path]
        reason = why_not_genuine(keys, self.headers, body, time.time())
        if reason:
            print("refused:", reason, file=sys.stderr, flush=True)
            return self.answer(401)
        try:
            message = json.loads(body)
        except ValueError:
            return self.answer(400)
        if not isinstance(message, dict):
            return self.answer(400)
        return self.answer(*handle(message))

    def answer(self, status, content=None):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if content is not None:
            self.send_header("content-type", "application/json")
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests are not logged."""


if __name__ == "__main__":
    EVENT_KEYS = read_keys("DELIVERY_SIGNING_KEY") or sys.exit("DELIVERY_SIGNING_KEY is not set")
    DECISION_KEYS = read_keys("DECISION_SIGNING_KEY") or EVENT_KEYS
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8090"))), Product)
    print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
