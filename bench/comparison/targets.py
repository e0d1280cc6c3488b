"""The servers that are compared: how each is started, what it can do, what it needs, and its version."""
import functools
import json
import os
import re
import shutil
import socket
import subprocess

from . import texts

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(ROOT, "bench", "peers")
NCHAN_MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so"
# Kinds of work and the mode a server is started in for them.
MODES = {"echo": "echo", "jsonrpc": "jsonrpc", "fanout": "fanout", "large": "fanout", "deflate": "deflate-fanout",
         "idle": "fanout", "connect": "fanout", "slow": "fanout"}
ALL_KINDS = frozenset(MODES)


def output_of(command):
    """The first line that the command prints, or nothing."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ((run.stdout or run.stderr).strip().splitlines() or [""])[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Target:
    """A server. `kinds`: the works it can do. `port`: set where the server is told its port; else it prints it."""

    name = ""
    title = ""
    kinds = ALL_KINDS
    path = "/"
    dialect = "raw"
    says = staticmethod(texts.raw)
    port = None

    def __init__(self, options):
        self.options = options

    def can(self, work):
        return work.kind in self.kinds

    def missing(self):
        """Why it cannot run here, or None."""
        return None

    def version(self):
        return ""

    def command(self, kind):
        raise NotImplementedError

    def urls(self, port):
        return ["--url", f"ws://127.0.0.1:{port}{self.path}"]

    def load(self, kind, port):
        """The load generator's arguments about this server."""
        said = self.says(kind) if kind not in ("idle", "connect") else self.greeting()
        compressed = ["--deflate"] if kind == "deflate" else []
        return self.urls(port) + ["--dialect", self.dialect] + said + compressed

    def greeting(self):
        """What a connection needs that does nothing."""
        return []

    def in_build(self, *parts):
        return os.path.join(self.options.build, *parts)


class Floor(Target):
    name, title = "floor", "floor"
    kinds = ALL_KINDS - {"deflate"}

    def missing(self):
        return None if os.path.exists(self.in_build("bench", "bench_floor")) else "not built"

    def command(self, kind):
        return [self.in_build("bench", "bench_floor"), "--mode", "echo" if kind in ("echo", "jsonrpc") else "fanout"]


class Hubbub(Target):
    """Sessions with replay, one shard; limits that a loopback load runs into are off."""

    name, title, path, dialect = "hubbub", "hubbub", "/ws", "hubbub"
    kinds = ALL_KINDS - {"echo"}
    says = staticmethod(texts.hubbub)
    settings = ["server.shards=1", "limits.rate_per_s=0", "limits.ip_connections=0", "limits.ip_connects_per_s=0",
                "log.level=warn"]

    def missing(self):
        return None if os.path.exists(self.in_build("hubbub")) else "not built"

    def version(self):
        return output_of([self.in_build("hubbub"), "--version"]).replace("hubbub ", "")

    def command(self, kind):
        self.port = free_port()
        command = [self.in_build("hubbub"), "serve", "--listen", f"127.0.0.1:{self.port}"]
        for setting in self.settings + self.options.set:
            command += ["--set", setting]
        return command


class NpmPeer(Target):
    """A server of bench/peers for Node; `package` is what must be installed there."""

    package = ""
    file = ""

    def missing(self):
        if not shutil.which("node"):
            return "no node"
        return None if os.path.exists(self.manifest()) else "npm ci in bench/peers was not run"

    def manifest(self):
        return os.path.join(PEERS, "node_modules", self.package, "package.json")

    def package_version(self):
        with open(self.manifest(), encoding="utf-8") as manifest:
            return json.load(manifest)["version"]

    def version(self):
        return f"{self.package_version()}, Node {output_of(['node', '--version']).lstrip('v')}"

    def command(self, kind):
        return ["node", os.path.join(PEERS, self.file), MODES[kind]]


class Ws(NpmPeer):
    name, title, package, file = "ws", "node ws", "ws", "ws.mjs"


class SocketIo(NpmPeer):
    name, title, package, file = "socket.io", "socket.io", "socket.io", "socketio.mjs"
    path = "/socket.io/?EIO=4&transport=websocket"
    says = staticmethod(texts.socketio)

    def greeting(self):
        return self.says("idle")[:4]


class RpcWebsockets(NpmPeer):
    name, title, package, file = "rpc-websockets", "rpc-websockets", "rpc-websockets", "rpc_websockets.mjs"
    kinds = ALL_KINDS - {"echo"}
    says = staticmethod(texts.rpc_websockets)


class Bun(NpmPeer):
    """bun's npm package brings the program in a package of the platform's own."""

    name, title, package, file = "bun", "bun (uWebSockets)", "bun", "bun.js"

    @functools.cached_property
    def program(self):
        folder = os.path.join(PEERS, "bun", "node_modules", "@oven")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        found = [os.path.join(folder, name, "bin", "bun") for name in names]
        return next((path for path in found if output_of([path, "--version"])), None)

    def missing(self):
        return None if self.program else "its npm package is not installed in bench/peers/bun"

    def version(self):
        return output_of([self.program, "--version"])

    def command(self, kind):
        return [self.program, os.path.join(PEERS, self.file), MODES[kind]]


class BuiltPeer(Target):
    file = ""

    def missing(self):
        return None if os.path.exists(self.in_build("bench", self.file)) else "not built (ninja bench_peers)"

    def command(self, kind):
        return [self.in_build("bench", self.file), MODES[kind]]


class Beast(BuiltPeer):
    name, title, file = "beast", "Boost.Beast", "peer_beast"

    def version(self):
        try:
            with open("/usr/include/boost/version.hpp", encoding="utf-8") as header:
                found = re.search(r'BOOST_LIB_VERSION "([0-9_]+)"', header.read())
        except OSError:
            return ""
        return "Boost " + found.group(1).replace("_", ".") if found else ""


class Libwebsockets(BuiltPeer):
    name, title, file = "libwebsockets", "libwebsockets", "peer_libwebsockets"
    kinds = ALL_KINDS - {"jsonrpc"}

    def version(self):
        return output_of(["pkg-config", "--modversion", "libwebsockets"]).rstrip("-")


class Nchan(Target):
    name, title = "nchan", "nginx + nchan"
    kinds = ALL_KINDS - {"echo", "jsonrpc"}
    says = staticmethod(texts.nchan)

    def missing(self):
        return None if shutil.which("nginx") and os.path.exists(NCHAN_MODULE) else "no nginx with libnginx-mod-nchan"

    def version(self):
        nginx = output_of(["nginx", "-v"]).rpartition("/")[2]
        nchan = output_of(["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"])
        return f"nginx {nginx}, nchan {re.sub(r'^[0-9]+:|[-+].*$', '', nchan)}"

    def command(self, kind):
        return [os.path.join(PEERS, "nchan"), MODES[kind]]

    def urls(self, port):
        return ["--url", f"ws://127.0.0.1:{port}/sub", "--publish-url", f"ws://127.0.0.1:{port}/pub"]

    def load(self, kind, port):
        arguments = super().load(kind, port)
        return arguments if kind not in ("idle", "connect") else arguments[:2] + arguments[4:]


class Nats(Target):
    name, title = "nats", "nats-server"
    kinds = ALL_KINDS - {"echo", "jsonrpc"}
    says = staticmethod(texts.nats)

    def missing(self):
        return None if shutil.which("nats-server") else "no nats-server"

    def version(self):
        return output_of(["nats-server", "-v"]).rpartition("v")[2]

    def command(self, kind):
        return [os.path.join(PEERS, "nats"), MODES[kind]]

    def greeting(self):
        return self.says("idle")[:4]


ALL = (Floor, Hubbub, Bun, Beast, Libwebsockets, Nchan, Nats, Ws, RpcWebsockets, SocketIo)
NAMES = tuple(target.name for target in ALL)
