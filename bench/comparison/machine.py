"""What the numbers were measured on, and with which versions."""
import os
import platform
import time

from . import targets


def field_of(path, name):
    """The value of the first "name : value" in a file of /proc."""
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(name):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return ""


def system():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def line():
    model = field_of("/proc/cpuinfo", "model name") or platform.machine()
    memory = field_of("/proc/meminfo", "MemTotal").split()
    size = f", {int(memory[0]) / 2**20:.0f} GiB" if memory else ""
    virtual = ", virtual machine" if "hypervisor" in field_of("/proc/cpuinfo", "flags").split() else ""
    return f"{os.cpu_count()} cores, {model}{size}{virtual}"


def about(options, measured, cores):
    """Facts for the document. `measured`: the targets."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": line(),
        "system": ", ".join(part for part in (system(), "Linux " + platform.release().partition("-")[0]) if part),
        "compiler": targets.output_of(["g++", "--version"]),
        "seconds": options.seconds,
        "pinned": cores[0] is not None,
        "versions": {target.name: target.version() for target in measured},
    }
