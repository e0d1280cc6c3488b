"""What is said to each kind of server in each kind of work.

Everybody gets calls of one size and delivers publications of one size on the wire, whatever its framing; so a ratio compares
work, not bytes. `{n}` becomes the message's number (always 8 digits), which must come back.
"""
import json

NUMBER = "{n}"
NUMBER_SIZE = 8
# An echo's text: the JSON-RPC call for all who take any text.
CALL = '{"jsonrpc":"2.0","id":{n},"method":"echo","params":{"a":1}}'
# What a subscriber of hubbub gets around the data of a publication.
NOTIFICATION = '{"jsonrpc":"2.0","method":"topic.message","params":{"topic":"bench","offset":100000,"data":}}'
DATA_BYTES = 100  # of a fan-out's publication, at hubbub
DELIVERED_BYTES = len(NOTIFICATION) + DATA_BYTES + 2
DOCUMENT_BYTES = 1024  # of a document as delivered, before compression
SLOW_BYTES = 8192  # of a publication to slow readers, as delivered
DOCUMENTS = ("large", "deflate")  # the kinds of work that publish one


def size(text):
    """Bytes of the text on the wire."""
    return len(text) - text.count(NUMBER) * (len(NUMBER) - NUMBER_SIZE)


def filled(total):
    """A number and filling, `total` bytes long, that needs no escapes in JSON."""
    return NUMBER + "." * (total - NUMBER_SIZE)


def document(total):
    """A JSON object like a service would publish, `total` bytes long."""
    readings = []
    for i in range(1000):
        readings.append({"sensor": f"room-{i + 1:02}", "celsius": 18 + (i * 37 % 80) / 10, "humidity": 35 + i * 13 % 40,
                         "ok": i % 5 != 3})
        text = f'{{"seq":{NUMBER},"site":"north","unit":"metric","readings":{json.dumps(readings, separators=(",", ":"))}}}'
        if size(text) + len(',"note":""') > total:
            readings.pop()
            break
    body = json.dumps(readings, separators=(",", ":"))
    text = f'{{"seq":{NUMBER},"site":"north","unit":"metric","readings":{body},"note":"'
    return text + ("all quiet " * total)[:total - size(text) - 2] + '"}'


def delivered(kind):
    """Bytes that a subscriber gets of a publication."""
    if kind in DOCUMENTS:
        return DOCUMENT_BYTES
    return SLOW_BYTES if kind == "slow" else DELIVERED_BYTES


def publication(kind, around, quoted):
    """The data of a publication, so that what a subscriber gets of it, `around` included, has its size: a document, or filling
    in quotation marks where `quoted`."""
    if kind in DOCUMENTS:
        return document(delivered(kind) - size(around))
    if quoted:
        return '"' + filled(delivered(kind) - size(around) - 2) + '"'
    return filled(delivered(kind) - size(around))


def raw(kind):
    """Servers that echo any text, and send what is published to all who said "sub"."""
    if kind in ("echo", "jsonrpc"):
        return ["--payload", CALL]
    # The floor knows publications by their first letter.
    return ["--subscribe", "sub", "--subscribe-reply", "ok", "--publish", "p" + publication(kind, "p", False)]


def hubbub(kind):
    if kind == "jsonrpc":
        return ["--payload", CALL]
    if kind in DOCUMENTS:
        data = publication(kind, NOTIFICATION, True)
        return ["--publish", '{"jsonrpc":"2.0","id":1,"method":"topic.publish","params":{"topic":"bench","data":' + data + "}}"]
    return ["--bytes", str(delivered(kind) - len(NOTIFICATION) - 2)]


def socketio(kind):
    hello = ["--hello", "40", "--hello-reply", '40{"sid"']
    if kind == "echo":
        padding = "." * (size(CALL) - size('42["echo",{"n":{n},"a":""}]'))
        return hello + ["--payload", '42["echo",{"n":{n},"a":"' + padding + '"}]']
    if kind == "jsonrpc":
        # The 1 behind 42 asks for an acknowledgement.
        padding = "." * (size(CALL) - size('421["echo",{"n":{n},"a":""}]'))
        return hello + ["--payload", '421["echo",{"n":{n},"a":"' + padding + '"}]']
    data = publication(kind, '42["message",]', True)
    return hello + ["--subscribe", '42["sub"]', "--subscribe-reply", '42["ok"]', "--publish", f'42["publish",{data}]']


def rpc_websockets(kind):
    if kind == "jsonrpc":
        return ["--payload", CALL]
    data = publication(kind, '{"notification":"bench","params":[]}', True)
    return ["--subscribe", '{"jsonrpc":"2.0","id":1,"method":"rpc.on","params":["bench"]}', "--subscribe-reply", '"ok"',
            "--publish", '{"jsonrpc":"2.0","id":1,"method":"publish","params":[' + data + "]}"]


def nats(kind):
    around = f"MSG bench 1 {delivered(kind)}\\r\\n\\r\\n"
    data = publication(kind, around.replace("\\r\\n", "  "), False)
    return ["--binary", "--escapes", "--hello", 'CONNECT {"verbose":false,"pedantic":false}\\r\\n', "--stream",
            "--subscribe", "SUB bench 1\\r\\nPING\\r\\n", "--subscribe-reply", "PONG",
            "--publish", f"PUB bench {size(data)}\\r\\n{data}\\r\\n"]


def nchan(kind):
    return ["--publish", publication(kind, "", False)]
