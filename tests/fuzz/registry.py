"""What the fuzzer is told beside the registry's document: who calls, what exists, and where the document errs.

Loaded by Schemathesis (SCHEMATHESIS_HOOKS=registry). SANDBOX_URL, SANDBOX_USERNAME and SANDBOX_PASSWORD name the sandbox
and the partner of `scenario.toml`; tests/sandbox.bash sets them.
"""

import base64
import datetime
import http.server
import json
import os
import threading
import urllib.request
import zlib

import schemathesis
from mends import BRAND_PATH, mend_all, nodes, operations_of
from schemathesis.core.parameters import ParameterLocation as Location

SANDBOX = os.environ["SANDBOX_URL"]
PROVIDER_ONLY = "/sps/{iysCode}/brands"
PASS = "/otp-management/api/v1"
BRAND = "/sps/600100/brands/600100"


# ------------------------------------------------------------------------------------------------ the sandbox's state


def call(method, path, body=None, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(SANDBOX + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or "null")


def log_in(username, password):
    body = {"grant_type": "password", "username": username, "password": password}
    return call("POST", "/oauth2/token", body)["access_token"]


def clock():
    return datetime.datetime.fromisoformat(call("GET", "/_sandbox/clock")["now"])


def consent(recipient, kind, date):
    return {
        "recipient": recipient, "type": kind, "status": "ONAY", "source": "HS_WEB", "recipientType": "BIREYSEL",
        "consentDate": date.strftime("%Y-%m-%d %H:%M:%S"),
    }


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes pushes from whoever is called fuzz."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        known = self.headers.get("authorization") == "Basic " + base64.b64encode(b"fuzz:fuzz").decode()
        self.send_response(200 if known else 401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class World:
    """What exists when the fuzzer begins: numbers, addresses, requests, and a day with a report."""

    def __init__(self):
        self.partner = log_in(os.environ["SANDBOX_USERNAME"], os.environ["SANDBOX_PASSWORD"])
        users = call("POST", "/_sandbox/providers", {"iysCode": 600100})["users"]
        self.provider = next(log_in(user["username"], user["password"]) for user in users if not user["admin"])
        self.phones = [f"+9055511122{number}" for number in range(30, 36)]
        self.emails = [f"ornek{number}@ornek.com" for number in range(4)]
        self.receiver = receiver()
        self.retailers = [self.retailer(tckn) for tckn in ("10000000146", "10000000214", "10000000382")]
        self.kept = self.retailers[:2]
        batch, (self.done, _) = self.batch(), self.opt_in("KVK")
        # The day's report is made in the night.
        call("POST", "/_sandbox/clock", {"advance": "36h"})
        self.today = clock()
        for phone, kind, retailer in zip(self.phones, ("MESAJ", "ARAMA"), self.kept):
            # A retailer whom a consent names stays.
            given = consent(phone, kind, self.today) | {"retailerCode": retailer}
            call("POST", BRAND + "/consents", given, self.partner)
        # Codes live for three minutes.
        waiting, code = self.opt_in("ETK")
        self.waiting = {"requestId": [waiting], "otpCode": [code, code, code, "000000"], "verificationType": ["SMS_OTP"]}
        self.by_sms = self.second_factor("sms", "1", phoneNumber=self.phones[0])
        self.by_email = self.second_factor("email", "2", email=self.emails[0])
        finished = self.second_factor("sms", "1", phoneNumber=self.phones[1])
        body = {"requestId": finished["requestId"][0], "otpCode": finished["otpCode"][0]}
        call("POST", f"{PASS}/sms/complete", body, self.partner)
        self.requests = [batch, self.done, waiting, *finished["requestId"], "a9817bd8-0642-4d8c-946b-cc47d5aac41a"]

    def retailer(self, tckn):
        city = {"name": "İSTANBUL", "code": "34"}
        body = {"title": "Bayi", "name": "Bayi", "tckn": tckn, "tin": tckn, "city": city, "town": city}
        return call("POST", BRAND + "/retailers", body, self.partner)["retailerCode"]

    def batch(self):
        now = clock()
        items = [consent(self.phones[4], "MESAJ", now), consent(self.emails[3], "EPOSTA", now)]
        return call("POST", "/v2" + BRAND + "/consents/request", items, self.partner)["requestId"]

    def opt_in(self, title):
        """One that waits for its code (ETK), or that has it (KVK); and the code."""
        kinds = {
            "ETK": {"brandCodes": [600100], "types": ["MESAJ"], "recipientType": "BIREYSEL"},
            "KVK": {"types": ["ACIK_RIZA_METNI"], "personData": {"name": "Aslı Can"}},
        }
        kind = {"title": title, **kinds[title]}
        body = {"formId": "1", "recipient": self.phones[5], "verificationType": "SMS_OTP", "consentTypes": [kind]}
        request = call("POST", "/via/sps/600100/consent", body, self.partner)["message"]["requestId"]
        code = call("GET", "/_sandbox/outbox")["list"][-1]["code"]
        if title == "KVK":
            done = [{"title": title, "otpCode": code}]
            body = {"requestId": request, "verificationType": "SMS_OTP", "consentTypes": done}
            call("POST", "/via/sps/600100/confirmation", body, self.partner)
        return request, code

    def second_factor(self, way, template, **address):
        body = {**address, "templateId": template, "vkn": "1111111111"}
        started = call("POST", f"{PASS}/600100/{way}/start", body, self.partner)
        code = call("GET", "/_sandbox/outbox")["list"][-1]["code"]
        return {"requestId": [started["data"]["requestId"]], "otpCode": [code, code, code, "000000"]}

    def day(self, offset):
        return (self.today + datetime.timedelta(days=offset)).strftime("%Y-%m-%d")

    def second(self, offset):
        return (self.today + datetime.timedelta(seconds=offset)).strftime("%Y-%m-%d %H:%M:%S")


WORLD = World()


@schemathesis.auth(refresh_interval=None)
class Token:
    """The partner's token; where only providers may ask, the provider's."""

    def get(self, case, context):
        return WORLD.provider if case.operation.path == PROVIDER_ONLY else WORLD.partner

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


# --------------------------------------------------------------------------------------------- what the document lacks

# Values that exist, for places of this name.
KNOWN = {
    "iysCode": [600100] * 9 + [600200],
    "brandCode": [600100] * 8 + [600101, 600200],
    "integratorCode": [900001],
    "retailerCode": WORLD.retailers,
    "retailerAccess": WORLD.retailers,
    "requestId": WORLD.requests,
    "reportDate": [WORLD.day(offset) for offset in (-1, -1, -2, -8, 0)],
    "recipientType": ["BIREYSEL", "BIREYSEL", "TACIR"],
    "type": ["MESAJ", "ARAMA", "EPOSTA"],
    "code": [1, 34, 81, 970],
    "recipient": WORLD.phones + WORLD.emails,
    "recipients": WORLD.phones + WORLD.emails,
    "phoneNumber": WORLD.phones,
    "email": WORLD.emails,
    "consentDate": [WORLD.second(offset) for offset in range(-5000, 0, 50)] + ["2015-05-01 00:00:00", "2100-01-01 00:00:00"],
    "after": ["1", f"{WORLD.today.timestamp():.0f}000_" + "0" * 64],
    "limit": [1, 2, 100],
    "offset": [0, 1],
    "all": ["true", "false"],
    "short": ["true", "false"],
    "formId": ["1", "2"],
    "templateId": ["1", "2", "3", "4"],
    "vkn": ["1111111111"],
    "verificationType": ["SMS_OTP", "SMS_OTP", "EPOSTA_SHORTURL", "SMS_SHORTURL"],
    "brandCodes": [600100, 600101],
    "url": [f"{WORLD.receiver}/push", "https://127.0.0.1:9/push", "push"],
    "username": ["fuzz"],
    "password": ["fuzz"],
    "page": [1, 2],
    "pageSize": [1, 20],
    "tckn": ["10000000146", "10000000382", "10000000450"],
    "tin": ["10000000382"],
    "mersis": ["0845052547100014"],
    "mobile": ["+905551112299"],
}
# The same at one path: what there fits together.
APPROVED = {
    "recipient": [WORLD.phones[0]], "recipients": [WORLD.phones[0]], "type": ["MESAJ"], "recipientType": ["BIREYSEL"],
    "retailerAccess": WORLD.kept,
}
KNOWN_AT = {
    BRAND_PATH + "/consents": {"recipient": WORLD.phones, "type": ["MESAJ", "MESAJ", "ARAMA"]},
    "/v2" + BRAND_PATH + "/consents": {"recipient": WORLD.emails, "type": ["EPOSTA"]},
    BRAND_PATH + "/consents/status": APPROVED,
    BRAND_PATH + "/consents/retailers/access": APPROVED,
    BRAND_PATH + "/consents/retailers/access/remove": APPROVED,
    BRAND_PATH + "/consents/changes": {"source": ["HS", "IYS"]},
    BRAND_PATH + "/retailers": {"name": ["Bayi"], "title": ["Bayi"], "alias": ["Bayi"]},
    "/via/sps/{iysCode}/confirmation": WORLD.waiting,
    "/via/sps/{iysCode}/consent/{requestId}": {"requestId": [WORLD.done]},
    "/via/sps/{iysCode}/via/clarification/{requestId}/file": {"requestId": [WORLD.done]},
    PASS + "/sms/complete": WORLD.by_sms,
    PASS + "/email/complete": WORLD.by_email,
    PASS + "/{iysCode}/sms/start": {"templateId": ["1"]},
    PASS + "/{iysCode}/email/start": {"templateId": ["2"]},
    PASS + "/{iysCode}/sms/start/short-url": {"templateId": ["3"]},
    PASS + "/{iysCode}/email/start/short-url": {"templateId": ["4"]},
}


def known(path, name, value, salt):
    """A value that exists in place of one that was made up; one in twenty stays. The same for the same case."""
    values = KNOWN_AT.get(path, {}).get(name) or KNOWN.get(name)
    lot = zlib.crc32(f"{salt} {name} {value!r}".encode())
    if not values or isinstance(value, bool) or lot % 20 == 0:
        return value
    chosen = values[lot // 20 % len(values)]
    if isinstance(value, str):
        return str(chosen)
    return chosen if isinstance(value, int) and isinstance(chosen, int) else value


def known_in(path, value, salt, name=None):
    if isinstance(value, dict):
        return {key: known_in(path, child, salt, key) for key, child in value.items()}
    if isinstance(value, list):
        children = []
        for position, child in enumerate(value):
            child = known_in(path, child, f"{salt} {position}", name)
            if child not in children:
                children.append(child)
        return children
    return known(path, name, value, salt)


@schemathesis.hook
def map_case(context, case):
    """Puts known values into what is meant to be right; what is meant to be wrong stays."""
    salt = f"{case.path_parameters} {case.query} {case.body!r}"
    for location, holder in ((Location.PATH, "path_parameters"), (Location.QUERY, "query"), (Location.BODY, "body")):
        info = case.meta.components.get(location)
        made_up = getattr(case, holder)
        if info and info.mode == schemathesis.GenerationMode.POSITIVE and isinstance(made_up, (dict, list)):
            setattr(case, holder, known_in(case.operation.path, made_up, salt))
    return case


def exemplify(operations):
    """Gives the places of known values an example, from which the fuzzer's systematic cases start."""
    for _, operation in operations:
        for parameter in operation.get("parameters", []):
            exemplify_one(parameter["name"], parameter["schema"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for node in list(nodes(content.get("schema", {}))):
                for name, schema in node.get("properties", {}).items():
                    exemplify_one(name, schema)


def exemplify_one(name, schema):
    values = KNOWN.get(name)
    if not values or "enum" in schema:
        return
    if schema.get("type") == "string":
        schema["example"] = str(values[0])
    elif schema.get("type") == "integer":
        schema["example"] = values[0]
    elif schema.get("type") == "array":
        value = str(values[0]) if schema.get("items", {}).get("type") == "string" else values[0]
        schema["example"] = [value]
        schema["minItems"] = 1


@schemathesis.hook
def before_load_schema(context, raw_schema):
    reasons = mend_all(raw_schema)
    print(f"The document's known defects, mended for the fuzzer ({len(reasons)}):")
    for reason in reasons:
        print(f"  - {reason}")
    exemplify(list(operations_of(raw_schema)))
