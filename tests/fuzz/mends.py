"""Where the registry's document errs: its defects that are known, each mended when the fuzzer loads it, and why.

A mend changes the schemas of the one method that it is about: `resolve` has put a copy of what they refer to into each.
"""

METHODS = ("get", "post", "put", "delete")
BRAND_PATH = "/sps/{iysCode}/brands/{brandCode}"

MENDS = []


def mend(reason):
    def register(function):
        MENDS.append((reason, function))
        return function

    return register


@mend("the browser's widget is no server's interface, and its paths are not well-formed")
def leave_out_the_widget(document):
    for path in [path for path in document["paths"] if path.startswith("/widget")]:
        del document["paths"][path]


def operations_of(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield f"{method.upper()} {path}", operation


def resolve(document, schema, seen=()):
    """The schema with what it refers to in it, so that a mend of one method is one of that method alone."""
    if isinstance(schema, list):
        return [resolve(document, part, seen) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        name = schema["$ref"].rsplit("/", 1)[1]
        if name in seen:
            return {}
        return resolve(document, document["components"]["schemas"][name], (*seen, name))
    return {key: resolve(document, value, seen) for key, value in schema.items()}


def nodes(part):
    """Every object in it."""
    if isinstance(part, dict):
        yield part
        for child in part.values():
            yield from nodes(child)
    elif isinstance(part, list):
        for child in part:
            yield from nodes(child)


def schemas(document, statuses=""):
    """The schemas of the answers whose status begins so."""
    for _, operation in operations_of(document):
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                if status.startswith(statuses) and "schema" in content:
                    yield from nodes(content["schema"])


def answer(document, name, status="200"):
    method, path = name.split(" ")
    (content,) = document["paths"][path][method.lower()]["responses"][status]["content"].values()
    return content["schema"]


@mend("dates are written YYYY-MM-DD HH:mm:ss, as all its examples and its text have it, not as format date-time or date")
def write_dates_as_the_examples_do(document):
    for schema in schemas(document, "2"):
        if schema.get("format") in ("date-time", "date"):
            del schema["format"]
            schema["pattern"] = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$"
    for _, operation in operations_of(document):
        for node in nodes(operation.get("requestBody", {})):
            if node.get("format") == "date-time":
                del node["format"]


@mend("errors of a 422 is a list, as in all its examples, and not one object")
def list_errors(document):
    for schema in schemas(document, "4"):
        errors = schema.get("properties", {}).get("errors")
        if errors and errors.get("type") == "object":
            schema["properties"]["errors"] = {"type": "array", "items": errors}


@mend("an error's value is whatever was sent, and its location holds field names and positions; both are typed as text")
def let_errors_hold_what_was_sent(document):
    for schema in schemas(document, "4"):
        fields = schema.get("properties", {})
        if "code" in fields and "value" in fields:
            fields["value"] = {}
        if "code" in fields and "location" in fields:
            fields["location"] = {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1}


@mend("retailerCode has eight digits; its schema says that it is at most eight")
def give_retailers_eight_digits(document):
    for _, operation in operations_of(document):
        for node in nodes(operation.get("requestBody", {})):
            if node.get("type") == "integer" and node.get("maximum") == 8:
                del node["maximum"]


@mend("the page size of retailers is at most 100, not the offset")
def limit_the_page_of_retailers(document):
    for parameter in document["paths"][f"{BRAND_PATH}/retailers"]["get"]["parameters"]:
        if parameter["name"] == "offset":
            del parameter["schema"]["maximum"]
        if parameter["name"] == "limit":
            parameter["schema"]["maximum"] = 100


@mend("retailers come as a list, as in the example; the schema has one of them")
def list_retailers(document):
    fields = answer(document, f"GET {BRAND_PATH}/retailers")["properties"]
    if fields["list"].get("type") == "object":
        fields["list"] = {"type": "array", "items": fields["list"]}


@mend("the codes of a retailer's city and town are text in every example, whole numbers in the schema")
def write_places_as_text(document):
    for name in ("GET {}/retailers/{{retailerCode}}", "GET {}/retailers", "POST {}/consent/retailers/access/list"):
        for node in nodes(answer(document, name.format(BRAND_PATH))):
            for place in ("city", "town"):
                if place in node.get("properties", {}):
                    node["properties"][place]["properties"]["code"] = {"type": ["string", "integer"]}


@mend("a partner that asks for a provider's subscription sees no limits (two examples), yet the schema demands them")
def hide_limits_from_partners(document):
    schema = answer(document, "GET /sps/{iysCode}/subscription")
    schema["required"] = ["startDate", "expirationDate", "subscriptionPackageName", "status"]


@mend("the partner's iysCode is a number in the example of its subscription, text in the schema")
def number_the_partner(document):
    schema = answer(document, "GET /integrator/{integratorCode}/subscription")
    schema["properties"]["iysCode"] = {"type": ["string", "integer"]}


@mend("brands come as a list, as in the example; the schema has one of them, with lists where the example has objects")
def list_brands(document):
    numbers = {"type": "object", "additionalProperties": {"type": "integer"}}
    stats = {"type": "object", "properties": {"consents": numbers, "retailers": numbers}}
    schema = answer(document, "GET /sps/{iysCode}/brands")
    brand = {**schema, "properties": {**schema["properties"], "stats": stats}}
    schema.clear()
    schema.update({"type": "array", "items": brand})


@mend("what opt-ins answer has its example's shape; three of the schemas are those of other methods")
def shape_opt_ins(document):
    text, code = {"type": "string"}, {"type": "string", "enum": ["OK"]}

    def message(schema):
        return {"type": "object", "properties": {"message": schema, "code": code}, "required": ["message", "code"]}

    def fields(*names):
        return {"type": "object", "properties": {name: text for name in names}, "required": list(names)}

    done = fields("transactionId", "creationDate", "type")
    shapes = {
        "POST /via/sps/{iysCode}/consent": message(fields("requestId")),
        "POST /via/sps/{iysCode}/confirmation": {"anyOf": [message({"type": "array", "items": done}), done]},
        "GET /via/sps/{iysCode}/consent/{requestId}": message({"type": "array", "items": fields("requestId", "type")}),
    }
    for name, shape in shapes.items():
        schema = answer(document, name)
        schema.clear()
        schema.update(shape)


@mend("what opt-ins ask is described by a schema that refers to itself: it is taken from the examples of the requests")
def describe_opt_ins(document):
    text, list_of = {"type": "string"}, lambda values: {"type": "array", "minItems": 1, "items": {"enum": values}}

    def thing(optional=(), **fields):
        return {"type": "object", "properties": fields, "required": [name for name in fields if name not in optional]}

    title = {"enum": ["ETK"]}
    channels = {"enum": [["MESAJ"], ["ARAMA"], ["MESAJ", "ARAMA"], ["EPOSTA"]]}
    kvk = list_of(["AYDINLATMA_METNI", "ACIK_RIZA_METNI", "YURTDISI_AKTARIM"])
    brands = {"type": "array", "items": {"type": "integer"}}
    etk = thing(title=title, brandCodes=brands, types=channels, recipientType={"enum": ["BIREYSEL", "TACIR"]})
    person = thing(("recipientIdNumber", "address"), name=text, recipientIdNumber={"enum": ["10000000146"]}, address=text)
    kinds = {"oneOf": [etk, thing(title={"enum": ["KVK"]}, types=kvk, personData=person)]}
    ended = thing(title={"enum": ["ETK", "KVK"]}, otpCode=text)
    lists = [{"type": "array", "minItems": 1, "maxItems": 2, "items": items} for items in (kinds, ended)]
    bodies = {
        "/via/sps/{iysCode}/consent": thing(formId=text, recipient=text, verificationType=text, consentTypes=lists[0]),
        "/via/sps/{iysCode}/confirmation": thing(requestId=text, verificationType=text, consentTypes=lists[1]),
    }
    for path, body in bodies.items():
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"] = body


@mend("an opt-in is completed at the code in its path; the document asks for the same code as a query too")
def ask_for_the_code_once(document):
    confirmation = document["paths"]["/via/sps/{iysCode}/confirmation"]["post"]
    confirmation["parameters"] = [each for each in confirmation["parameters"] if each["in"] != "query"]


@mend("an opt-in's evidence is a zip, as its text says; the schema has the answer to another question")
def download_evidence(document):
    response = document["paths"]["/via/sps/{iysCode}/via/clarification/{requestId}/file"]["get"]["responses"]["200"]
    response["content"] = {"application/zip": {}}


@mend("the second factor's errors fit several of the schemas that exclude each other, one of which lists none")
def join_second_factor_errors(document):
    for schema in schemas(document, "4"):
        if "oneOf" in schema:
            alternatives = schema.pop("oneOf")
            if alternatives:
                schema["anyOf"] = alternatives


@mend("the data of a second factor's start is an object in most examples and a list in the schema: both are taken")
def take_second_factor_data(document):
    for schema in schemas(document, "2"):
        data = schema.get("properties", {}).get("data", {})
        if data.get("type") == "array":
            schema["properties"]["data"] = {"anyOf": [data, data["items"]]}


@mend("an answer 204 has no body and thus no media type")
def empty_no_content(document):
    for _, operation in operations_of(document):
        operation["responses"].get("204", {}).pop("content", None)


@mend("isAddConsentV2Service is text in the example and a truth value in the schema")
def tell_the_version_as_text(document):
    for node in nodes(answer(document, f"GET /v2{BRAND_PATH}/consents/request/{{requestId}}")):
        if "isAddConsentV2Service" in node.get("properties", {}):
            node["properties"]["isAddConsentV2Service"] = {"enum": [True, False, "true", "false"]}


@mend("what has to be sent to remove retailers is told in the text alone; their numbers are numbers in the example")
def require_what_a_removal_needs(document):
    removal = document["paths"][f"{BRAND_PATH}/consents/retailers/access/remove"]["post"]
    schema = removal["requestBody"]["content"]["application/json"]["schema"]
    schema["required"] = list(schema["properties"])
    schema["properties"]["retailerAccess"]["items"] = {"type": "integer"}


@mend("refusals that its tables of codes have for all methods are missing at some: added with just those codes")
def add_common_refusals(document):
    for name, operation in operations_of(document):
        method, path = name.split(" ")
        if path.startswith("/sps/") or path.startswith("/v2/"):
            refuse(operation, "422", "H190", "H191")
        if path.startswith("/via/"):
            refuse(operation, "404", "H1104")
        if BRAND_PATH in path:
            refuse(operation, "404", "H001", "H018", "H355")
        if "requestBody" in operation and path.startswith("/sps/"):
            refuse(operation, "400", "H014")
        if path.endswith("/request-history"):
            document_factor(operation, "403", "OTP-ERROR-005", "OTP-ERROR-010")
        if path == "/integrator/{integratorCode}/subscription":
            refuse(operation, "403", "H353")
        if path == f"{BRAND_PATH}/retailers" and method == "GET":
            refuse(operation, "422", "H182", "H183", "H184", "H185", "H186", "H187")


def document_factor(operation, status, *codes):
    fields = {"errorCode": {"enum": list(codes)}, "errorMessage": {"type": "string"}}
    schema = {"type": "object", "properties": fields, "required": ["errorCode", "errorMessage"]}
    operation["responses"][status] = {"description": "added", "content": {"application/json": {"schema": schema}}}


def refuse(operation, status, *codes):
    """Documents a refusal where the status is missing, or adds codes to one that was added."""
    responses = operation["responses"]
    if status in responses and "added" not in responses[status]["description"]:
        return
    known = responses.get(status, {}).get("x-codes", []) + list(codes)
    error = {
        "type": "object",
        "properties": {"code": {"enum": known}, "message": {"type": "string"}},
        "required": ["code", "message"],
    }
    errors = {"type": "array", "items": error, "minItems": 1}
    schema = {"type": "object", "properties": {"errors": errors}, "required": ["errors"]}
    responses[status] = {
        "description": "added", "x-codes": known, "content": {"application/json": {"schema": schema}},
    }


@mend("a day without movements has no time stamp: 204, as the agreement and the file of such a day")
def stamp_nothing_on_a_quiet_day(document):
    path = f"{BRAND_PATH}/agreements/{{reportDate}}/timestamp"
    document["paths"][path]["get"]["responses"]["204"] = {"description": "added"}


def mend_all(document):
    """Puts what schemas refer to into them, and applies all mends; returns their reasons."""
    for _, operation in operations_of(document):
        for holder in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for content in holder.get("content", {}).values():
                if "schema" in content:
                    content["schema"] = resolve(document, content["schema"])
    for _, apply in MENDS:
        apply(document)
    return [reason for reason, _ in MENDS]
