"""A product that receives events (POST /events) and decides about changes (POST /decisions).

With HANDOVER_SIGNING_KEY it also has a sign-up page, which takes buyers over from the landing page
(POST /sign-up).

Needs Python 3.9 or newer and no packages:

    DELIVERY_SIGNING_KEY=whsec_... PORT=8090 python3 receiver.py

DELIVERY_SIGNING_KEY  one key, or two keys separated by a blank while one replaces the other
DECISION_SIGNING_KEY  the same for questions; without it they are checked with the keys above
HANDOVER_SIGNING_KEY  the same for handovers
HANDOVER_ISSUER       the landing page's origin, as in https://signup.example.com
HANDOVER_AUDIENCE     this program's origin, as in https://app.example.com
PORT                  0 takes a free port; the address is printed
"""

import base64
import hmac
import html
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

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


# How far the clocks of the landing page and this machine may differ.
SKEW_SECONDS = 60

# The ids of handovers that were used, each with the time at which it expires. A real product keeps
# them in its database, under a unique index, until then: two processes must not both accept one.
used_handovers = {}
used_handovers_lock = threading.Lock()


def decoded(part):
    """The bytes of a part of a JWT."""
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def take_handover(keys, issuer, audience, token, now):
    """The claims of a handover, and why it is refused: one of the two is None."""
    try:
        header_part, claims_part, signature_part = token.split(".")
        header, signature = json.loads(decoded(header_part)), decoded(signature_part)
    except (ValueError, UnicodeError):
        return None, "it is no JWT"
    # The algorithm is ours to choose, not the token's: `none` and all others are refused.
    if not isinstance(header, dict) or header.get("alg") != "HS256" or "crit" in header:
        return None, "its algorithm is not HS256"
    signed = f"{header_part}.{claims_part}".encode("ascii")
    genuine = [hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature) for key in keys]
    if not any(genuine):
        return None, "no key has signed it"
    claims = json.loads(decoded(claims_part))
    if claims["iss"] != issuer or claims["aud"] != audience:
        return None, "it is from another page, or for another one"
    if not claims["iat"] - SKEW_SECONDS <= now < claims["exp"]:
        return None, "it is not valid now"
    # Only now, so that a forgery can't use up an id.
    with used_handovers_lock:
        for used in [used for used, end in used_handovers.items() if end <= now]:
            del used_handovers[used]
        if claims["jti"] in used_handovers:
            return None, "it was used before"
        used_handovers[claims["jti"]] = claims["exp"]
    return claims, None


def sign_up(claims):
    """The page of a buyer who comes from the landing page.

    A real product signs the person in here, as `tenantId` and `objectId`, and never as the e-mail
    address; asks what it wants to know; sets the account of `subscriptionId` up; and then calls
    POST /subscriptions/{id}/activate of the API. The request comes from another site, so it carries
    none of this site's SameSite cookies: don't add the subscription to a session that is there.
    """
    name = html.escape(claims["person"].get("name") or "")
    subscription = html.escape(claims["subscriptionId"])
    return f"<!doctype html><title>Sign up</title><p>Welcome, {name}! {subscription}</p>"


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
        if self.path == "/sign-up" and HANDOVER_KEYS:
            return self.take_over()
        routes = {"/events": (EVENT_KEYS, receive), "/decisions": (DECISION_KEYS, decide)}
        if self.path not in routes:
            return self.answer(404)
        body = self.read_body()
        if body is None:
            return None
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

    def take_over(self):
        body = self.read_body()
        if body is None:
            return None
        handovers = parse_qs(body.decode("utf-8", "replace")).get("handover", [])
        token = handovers[0] if len(handovers) == 1 else ""
        claims, reason = take_handover(
            HANDOVER_KEYS, HANDOVER_ISSUER, HANDOVER_AUDIENCE, token, time.time()
        )
        if reason:
            print("refused a handover:", reason, file=sys.stderr, flush=True)
            # The landing page issues a new one to the buyer who comes back.
            again = html.escape(f"{HANDOVER_ISSUER}/landing")
            page = f'<!doctype html><title>Sign up</title><a href="{again}">Please try again.</a>'
            return self.answer_page(401, page)
        print("handover", claims["subscriptionId"], claims["role"], flush=True)
        return self.answer_page(200, sign_up(claims))

    def read_body(self):
        """The body; None if there is none, which is answered already."""
        length = self.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,12}", length):
            return self.answer(411)
        if int(length) > LARGEST_BODY:
            return self.answer(413)
        body = self.rfile.read(int(length))
        # Shorter, and the sender went away in the middle of its request.
        return body if len(body) == int(length) else None

    def answer_page(self, status, page):
        body = page.encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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
    HANDOVER_KEYS = read_keys("HANDOVER_SIGNING_KEY")
    HANDOVER_ISSUER = os.environ.get("HANDOVER_ISSUER", "")
    HANDOVER_AUDIENCE = os.environ.get("HANDOVER_AUDIENCE", "")
    if HANDOVER_KEYS and not (HANDOVER_ISSUER and HANDOVER_AUDIENCE):
        sys.exit("HANDOVER_ISSUER and HANDOVER_AUDIENCE must be set beside HANDOVER_SIGNING_KEY")
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8090"))), Product)
    print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
