"""F5 on a stage, and Debug in the Testing panel: a breakpoint stops in the learner's own file.

What the editor's extension adds to debugpy is its window; here a client of a few lines speaks
the Debug Adapter Protocol with the same debugpy and the same arguments.
"""

import json
import socket
import subprocess
import sys
import time

import pytest

from tests.workshop import LABS, settings, solved

LAB = next(lab for lab in LABS if lab.number == 3)
SECONDS = 60  # patience on a busy machine, no measure of speed
MINE = "def merge(ids, pair, new_id):\n    mine = list(ids)\n    return mine"

# The properties of a debugpy `launch` and their types, as far as launch.json uses them:
# microsoft/vscode-python-debugger, package.json, debuggers[0].configurationAttributes.launch.
DEBUGPY = {"module": str, "args": list, "cwd": str, "console": str, "justMyCode": bool,
           "purpose": list}  # fmt: skip
EDITOR = {"name": str, "type": str, "request": str, "presentation": dict}  # of any debugger
CONSOLES = {"internalConsole", "integratedTerminal", "externalTerminal"}


def configuration(name):
    every = settings(".vscode/launch.json")["configurations"]
    return next(one for one in every if one["name"] == name)


def test_launch_json_holds_what_the_debugger_names():
    for one in settings(".vscode/launch.json")["configurations"]:
        assert one["type"] == "debugpy" and one["request"] == "launch"
        for key, value in one.items():
            assert isinstance(value, {**DEBUGPY, **EDITOR}[key]), key
        assert one["console"] in CONSOLES
        assert set(one.get("purpose", [])) <= {"debug-test", "debug-in-terminal"}
        assert all(isinstance(word, str) for word in one.get("args", []))


class Client:
    """The editor's end of a debugging session; times out rather than waits for ever."""

    def __init__(self, port):
        self.line = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.file = self.line.makefile("rb")
        self.number = 0
        self.events = []

    def close(self):
        self.file.close()
        self.line.close()

    def send(self, command, **arguments):
        self.number += 1
        request = {"seq": self.number, "type": "request", "command": command}
        data = json.dumps({**request, "arguments": arguments}).encode()
        self.line.sendall(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        return self.number

    def receive(self):
        size = 0
        while (header := self.file.readline()) != b"\r\n":
            if not header:
                raise EOFError("the debugger has gone")
            name, _, value = header.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        return json.loads(self.file.read(size))

    def answer(self, number):
        """The body of the response to request `number`; events on the way are kept."""
        while True:
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)
            elif message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return message.get("body")

    def ask(self, command, **arguments):
        return self.answer(self.send(command, **arguments))

    def wait(self, event):
        """The body of the next event of this name."""
        while True:
            for at, message in enumerate(self.events):
                if message["event"] == event:
                    del self.events[: at + 1]
                    return message.get("body")
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)


@pytest.fixture
def debug(workspace):
    """Starts `python -m debugpy ... WORDS` in the copy and connects to it."""
    begun = []

    def start(*words):
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", 0))
                free.listen()
                socket.create_connection(free.getsockname(), timeout=SECONDS).close()
            except OSError:
                pytest.skip("this machine has no loopback, over which a debugger speaks")
            port = free.getsockname()[1]
        listen = ["--listen", f"127.0.0.1:{port}", "--wait-for-client"]
        process = subprocess.Popen(
            [sys.executable, "-Xfrozen_modules=off", "-m", "debugpy", *listen, *words],
            cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        begun.append(process)
        end = time.monotonic() + SECONDS
        while True:
            try:
                client = Client(port)
                break
            except ConnectionRefusedError:
                assert process.poll() is None, process.stdout.read()
                assert time.monotonic() < end, "debugpy does not listen"
                time.sleep(0.05)
        begun.append(client)
        return process, client

    yield start
    for one in begun:
        if isinstance(one, Client):
            one.close()
            continue
        one.kill()
        one.wait(SECONDS)
        one.stdout.close()


def words_of_debug_stage(file, line):
    """What launch.json runs with the cursor in `line` of `file`."""
    found = configuration("Debug Stage")
    variables = {"${relativeFile}": file, "${lineNumber}": str(line)}
    return ["-m", found["module"], *(variables.get(word, word) for word in found["args"])]


@pytest.mark.parametrize("face", ["Debug Stage", "Debug a stage from the Testing panel"])
def test_a_breakpoint_in_a_learners_function_stops_there(workspace, debug, face):
    lab = solved(LAB).splice("merge", MINE)
    file = workspace / lab.relative
    file.write_text(lab.text, encoding="utf-8")
    line = lab.definition("merge").name_line + 1
    if face == "Debug Stage":
        words = words_of_debug_stage(lab.relative, line)
    else:  # the extension names the node by its file's whole path
        words = ["-m", "pytest", "-p", "no:cacheprovider", f"{file}::stage-2-merge"]
    process, client = debug(*words)

    client.ask("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True)
    attached = client.send("attach", justMyCode=configuration(face)["justMyCode"])
    client.wait("initialized")
    (point,) = client.ask(
        "setBreakpoints", source={"path": str(file)}, breakpoints=[{"line": line}]
    )["breakpoints"]
    assert point["verified"] and point["line"] == line
    client.ask("configurationDone")
    client.answer(attached)

    stopped = client.wait("stopped")
    assert stopped["reason"] == "breakpoint"
    frame = client.ask("stackTrace", threadId=stopped["threadId"], levels=1)["stackFrames"][0]
    assert (frame["name"], frame["line"]) == ("merge", line)
    assert frame["source"]["path"] == str(file)
    seen = client.ask("evaluate", expression="ids, pair", frameId=frame["id"], context="watch")
    assert seen["result"] == "([1, 2, 3, 1, 2], (1, 2))"

    client.ask("setBreakpoints", source={"path": str(file)}, breakpoints=[])
    client.ask("continue", threadId=stopped["threadId"])
    client.ask("disconnect", terminateDebuggee=False)
    said, _ = process.communicate(timeout=SECONDS)
    assert f"{lab.relative}:{line - 1}:5: error: stage 2: " in said
    assert process.returncode == 1
