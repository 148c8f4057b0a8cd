#!/usr/bin/env python3
"""An agent that tells what it does as session events: over standard output, over HTTP, or in a conversation.

It has no model. The prompt says what happens, so that the same prompt gives the same bytes: README.md has its words.
`Session` is what a producer is about; what stands below it is how a session meets the world. Needs Python 3.9 alone.
"""

import argparse
import collections
import json
import os
import queue
import re
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# How many tools run at once. It also bounds how long an event with results may get.
AT_ONCE = 4
# The longest line that is read, and the longest prompt, in bytes.
LONGEST = 1 << 20
# How many prompts may wait for their turn.
MOST_WAITING = 64
START = datetime(2026, 1, 1, tzinfo=timezone.utc)

# The mistakes that `--bug` makes the agent make, and when each shows. Real producers have them.
BUGS = {
    "silent-crash": "the model crashes",
    "no-idle": "a tool is called",
    "failed-call-left-open": "a tool fails",
    "early-results": "two or more tools run at once",
    "reused-id": "the same tool is called twice in the session",
    "short-final": "the answer has more than one word",
    "cumulative-chunks": "more than ten words come without a tool between them",
    "no-done": "the answer has a letter that is not ASCII",
    "late-chunk": "the answer is longer than 80 characters",
    "after-completion": "the prompt ends with a question mark",
    "camel-case": "a tool is called with an argument",
    "no-zone": "the turn ends in an error",
    "torn-line": "three or more tools run at once",
    "hang": "a tool fails that runs beside another",
}


class Interrupted(Exception):
    """The user stopped the turn."""


class Failed(Exception):
    """The model failed."""


class Session:
    """A session and its turns. However a turn goes, it has one way out: an event that ends it, then idle."""

    def __init__(self, id, wire, inbox, bug=None, delay=0.0):
        self.id, self.wire, self.inbox, self.bug, self.delay = id, wire, inbox, bug, delay
        self.now = 0  # milliseconds since the clock's start
        self.calls = 0  # ids are unique in the session, not only in the turn
        self.words = collections.deque()  # what is left of the prompt
        self.text = ""  # what was streamed in the turn
        self.open = None  # where in it the text begins that was not said to be whole yet

    def turn(self, prompt):
        """Answers a prompt. An OSError is one of the wire: nothing more can be said then."""
        calls_before = self.calls
        self.words, self.text, self.open = words(prompt), "", None
        self.status(True, "thinking")
        self.message("user", prompt)
        try:
            self.answer()
        except Interrupted:
            self.emit("session.interrupted", reason="user_requested")
        except Failed as error:
            if self.bug == "silent-crash":
                return
            self.error("model_error", str(error))
        else:
            self.complete(prompt)
        if self.bug == "no-idle" and self.calls > calls_before:
            return
        self.status(False, "idle")

    def refuse(self, code, error):
        """A turn for a prompt that cannot be taken."""
        self.status(True, "thinking")
        self.error(code, error)
        self.status(False, "idle")

    def answer(self):
        """Goes through the words of the prompt, and those of steering in their place."""
        while True:
            self.listen(self.delay)
            if not self.words:
                break
            if tool(self.words[0]):
                self.run_tools()
            elif self.words[0] == "crash":
                raise Failed("the model crashed")
            else:
                self.say(self.words.popleft())
        if self.open is None:
            self.say("Done.")
        self.close_text()

    def complete(self, prompt):
        answer = self.text.split(" ")[0] if self.bug == "short-final" else self.text
        self.message("assistant", answer)
        self.emit("session.completed", final_message=answer)
        if self.bug == "after-completion" and prompt.endswith("?"):
            self.chunk("Anything else?", True)

    def say(self, word):
        """Streams a word."""
        piece = " " + word if self.text else word
        if self.open is None:
            self.open = len(self.text)
        self.text += piece
        if self.bug == "cumulative-chunks" and len(words(self.text[self.open :])) > 10:
            piece = self.text[self.open :]
        self.chunk(piece, False)

    def close_text(self):
        """Says that the text which is open, if any, is whole."""
        if self.open is None or self.bug == "no-done" and not self.text.isascii():
            return
        self.open = None
        self.chunk("", True)
        if self.bug == "late-chunk" and len(self.text) > 80:
            self.text += "."
            self.chunk(".", True)

    def run_tools(self):
        """Runs the tools at the front of the words side by side, and reports what they gave."""
        self.close_text()
        self.status(True, "running tools")
        running = []
        while len(running) < AT_ONCE and self.words and tool(self.words[0]):
            running.append(self.start(*tool(self.words.popleft())))
        ran, results, held_back = len(running), [], []
        # They end in the reverse of their order, as tools that run side by side may.
        for id, name, argument in reversed(running):
            ok, output = self.run(name, argument)
            if not ok and self.bug == "failed-call-left-open":
                continue
            if not ok and self.bug == "hang" and ran > 1:
                threading.Event().wait()
            ended = {"tool_call_id": id, "tool_name": name, "ok": ok, "duration_ms": 1}
            results.append({"tool_call_id": id, "tool_name": name, "ok": ok, "output": output})
            if self.bug == "early-results" and ran > 1 or self.bug == "torn-line" and ran > 2:
                held_back.append(ended)
            else:
                self.emit("session.tool.call.completed", **ended)
        if self.bug == "torn-line":
            self.tear(held_back)
        self.emit("session.tool.results", results=results)
        for ended in held_back:
            self.emit("session.tool.call.completed", **ended)
        self.status(True, "thinking")

    def tear(self, completions):
        """Writes two completions into one another."""
        while completions:
            first = self.event("session.tool.call.completed", completions.pop())
            if completions:
                self.wire.torn(first, self.event("session.tool.call.completed", completions.pop()))
            else:
                self.wire.event(first)

    def start(self, name, argument):
        self.calls += 1
        id = "call_" + (name if self.bug == "reused-id" else str(self.calls))
        started = {"tool_call_id": id, "tool_name": name, "tool_input": {"argument": argument}}
        if self.bug == "camel-case" and argument:
            started = {re.sub("_(.)", lambda part: part[1].upper(), key): value for key, value in started.items()}
        self.emit("session.tool.call.started", **started)
        return id, name, argument

    def run(self, name, argument):
        """What a tool gives. That it fails is an outcome like others, and no reason to leave its events out."""
        self.listen(None if name == "wait" else self.delay)
        if "fail" in (name, argument):
            return False, {"error": "the tool failed"}
        return True, {"text": argument}

    def listen(self, patience):
        """Obeys what the user said meanwhile; patience None waits until there is something, or never will be."""
        order = self.inbox.order(self.wire, patience)
        if order is None:
            return
        method, text = order
        if method == "interrupt":
            raise Interrupted
        self.close_text()
        self.message("user", text)
        self.words = words(text)

    def status(self, pending, label):
        self.emit("session.status", pending=pending, status_label=label)

    def message(self, role, content):
        self.emit("session.message.appended", message={"role": role, "content": content})

    def chunk(self, text, done):
        self.emit("session.stream.chunk", text=text, done=done)

    def error(self, code, error):
        self.emit("session.error", error=error, code=code)

    def emit(self, kind, **payload):
        self.wire.event(self.event(kind, payload))

    def event(self, kind, payload):
        """Stamps an event: at the one place that they all come by, so that time never goes backwards in a session.

        This clock goes on by a millisecond with each event; that of a real agent is read here.
        """
        stamp = (START + timedelta(milliseconds=self.now)).isoformat(timespec="milliseconds")
        self.now += 1
        zone = "" if self.bug == "no-zone" and kind == "session.error" else "Z"
        timestamp = stamp.replace("+00:00", zone)
        return {"type": kind, "timestamp": timestamp, "payload": {"session_id": self.id, **payload}}


def words(text):
    return collections.deque(re.findall(r"[^ \t\n\f\r]+", text))


def tool(word):
    """The tool that a word calls, and its argument: `!tool` or `!tool:argument`."""
    name, _, argument = word[1:].partition(":")
    return (name, argument) if word.startswith("!") and name else None


class Wire:
    """Messages → bytes. A message is written as one piece and flushed, so that a reader has it at once and never half.

    There is one for each session, and it has one writer.
    """

    def __init__(self, form, out):
        self.form, self.out = form, out

    def event(self, event):
        self.write(self.frame(event))

    def answer(self, id):
        self.write(encode({"jsonrpc": "2.0", "id": id, "result": {}}) + b"\n")

    def refuse(self, id, code, message):
        self.write(encode({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}) + b"\n")

    def torn(self, first, second):
        """Writes two events as two threads do that share no lock (`torn-line`)."""
        first = self.frame(first)
        self.write(first[:30] + self.frame(second) + first[30:])

    def frame(self, event):
        if self.form == "sse":
            # JSON has its line ends escaped, so that one `data:` line holds it.
            return b"data: " + encode(event) + b"\n\n"
        if self.form == "json-rpc":
            event = {"jsonrpc": "2.0", "method": "event", "params": event}
        return encode(event) + b"\n"

    def write(self, data):
        self.out.write(data)
        self.out.flush()


def encode(message):
    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def decode(text):
    """What JSON says; ValueError if it is none. Python's own reader lets more pass than every other one does."""

    def refuse(constant):
        raise ValueError(constant + " is no JSON")

    try:
        message = json.loads(text, parse_constant=refuse)
        encode(message)  # refuses halves of characters, and numbers that are too large
    except RecursionError as error:
        raise ValueError("too deep") from error
    return message


def prompt_text(sent):
    """The prompt in what the user sent: the `text` of a JSON object, or else all of it as it is."""
    try:
        message = decode(sent)
    except ValueError:
        return sent
    text = message.get("text") if isinstance(message, dict) else None
    return text if isinstance(text, str) else sent


def read_line(file):
    """A line without its end, "" for an empty one; None at the end of the input, False for one that is too long."""
    line = file.readline(LONGEST + 1)
    if not line:
        return None
    if len(line) > LONGEST and not line.endswith(b"\n"):
        return False
    line = line[:-1] if line.endswith(b"\n") else line
    line = line[:-1] if line.endswith(b"\r") else line
    return line.decode("utf-8", "replace")


class Inbox:
    """What the user sent and the session has not come to yet. Requests are JSON-RPC lines."""

    def __init__(self, file=None):
        self.lines = queue.Queue(16)
        self.ended = file is None
        self.prompts = collections.deque()  # with the ids of their requests; each is answered when its turn begins
        if file is not None:
            # It reads only: what is written is written by the session alone.
            threading.Thread(target=self.read_lines, args=(file,), daemon=True).start()

    def read_lines(self, file):
        try:
            for line in iter(lambda: read_line(file), None):
                self.lines.put(line)
                while line is False and not (file.readline(LONGEST) or b"\n").endswith(b"\n"):
                    pass
        finally:
            self.lines.put(None)

    def line(self, patience=None):
        """The next line; None if there is none in time, or no more at all."""
        if self.ended:
            time.sleep(patience or 0)
            return None
        try:
            line = self.lines.get(block=patience != 0, timeout=patience or None)
        except queue.Empty:
            return None
        self.ended = line is None
        return line

    def prompt(self, wire):
        """Between turns: the next prompt; None when the conversation is over."""
        while True:
            if self.prompts:
                id, text = self.prompts.popleft()
                if id is not None:
                    wire.answer(id)
                return text
            line = self.line()
            if line is None:
                return None
            method, id, text = self.read(line, wire)
            if method == "prompt":
                self.prompts.append((id, text))
            elif method and id is not None:
                wire.refuse(id, -32000, "no turn is in progress")

    def order(self, wire, patience):
        """In a turn: what was ordered meanwhile, as method and text. Prompts wait for their turn."""
        while True:
            line = self.line(patience)
            if line is None:
                return None
            method, id, text = self.read(line, wire)
            if method == "prompt" and len(self.prompts) < MOST_WAITING:
                self.prompts.append((id, text))
            elif method == "prompt" and id is not None:
                wire.refuse(id, -32000, "too many prompts wait")
            elif method in ("steer", "interrupt"):
                if id is not None:
                    wire.answer(id)
                return method, text

    def read(self, line, wire):
        """A request as method, id and text; all None if it is none, which its sender is told.

        A notification is a request without an id, and gets no answer.
        """
        nothing = None, None, None
        if line is False:
            wire.refuse(None, -32600, "the message is longer than 1 MiB")
            return nothing
        if not line.strip():
            return nothing
        try:
            message = decode(line)
        except ValueError:
            wire.refuse(None, -32700, "the message is not JSON")
            return nothing
        message = message if isinstance(message, dict) else {}
        id, method, params = message.get("id"), message.get("method"), message.get("params")
        id_fits = isinstance(id, str) or type(id) is int and -(2**63) <= id < 2**63 or "id" not in message
        if not id_fits or not isinstance(method, str):
            wire.refuse(None, -32600, "a request has a method, and an id that is a string or an integer")
            return nothing
        text = params.get("text") if isinstance(params, dict) else None
        if method not in ("prompt", "steer", "interrupt"):
            problem = -32601, "the methods are prompt, steer and interrupt"
        elif method != "interrupt" and not isinstance(text, str):
            problem = -32602, "params.text must be a string"
        else:
            return method, id, text
        if id is not None:
            wire.refuse(id, *problem)
        return nothing


class Handler(BaseHTTPRequestHandler):
    """The body of a POST is the prompt, the response is the events of its turn as they come."""

    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds; a client that neither sends nor takes anything for so long is given up

    def do_POST(self):
        length = self.headers.get("Content-Length", "0").strip()
        if "Transfer-Encoding" in self.headers:
            return self.send_error(411)
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            return self.send_error(400)
        if int(length) > LONGEST:
            return self.send_error(413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return self.send_error(400)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Connection", "close")
        self.end_headers()
        id = "session-%d" % self.server.next_number()
        prompt = prompt_text(body.decode("utf-8", "replace"))
        Session(id, Wire("sse", self.wfile), Inbox(), *self.server.settings).turn(prompt)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, settings):
        super().__init__(address, Handler)
        self.settings, self.number, self.lock = settings, 0, threading.Lock()

    def next_number(self):
        with self.lock:
            self.number += 1
            return self.number

    def handle_error(self, request, client_address):
        """What goes wrong with one client is not the others' matter."""


def once(settings):
    """The first line of standard input is the prompt; standard output has the events of its turn."""
    line = read_line(sys.stdin.buffer)
    session = Session("session-1", Wire("ndjson", sys.stdout.buffer), Inbox(), *settings)
    if line is False:
        session.refuse("prompt_too_long", "the prompt is longer than 1 MiB")
    else:
        session.turn(prompt_text(line or ""))


def talk(settings):
    """Takes requests from standard input until it ends, and answers each prompt with a turn."""
    session = Session("session-1", Wire("json-rpc", sys.stdout.buffer), Inbox(sys.stdin.buffer), *settings)
    while True:
        prompt = session.inbox.prompt(session.wire)
        if prompt is None:
            return
        session.turn(prompt)


def serve(address, settings):
    """Serves until it is killed. The first line of standard output is the address."""
    host, _, port = address.rpartition(":")
    server = Server((host, int(port)), settings)
    print("http://%s:%d/" % server.server_address[:2], flush=True)
    server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--http", metavar="ADDRESS:PORT")
    way.add_argument("--talk", action="store_true")
    parser.add_argument("--delay", type=int, default=0, metavar="MILLISECONDS", help="between two steps of a turn")
    parser.add_argument("--bug", choices=["list", *BUGS], metavar="NAME", help="a mistake to make; `list` prints them")
    given = parser.parse_args()
    settings = given.bug, max(0, given.delay) / 1000
    if given.bug == "list":
        for name, shows in BUGS.items():
            print("%-23s%s" % (name, shows))
    elif given.http:
        serve(given.http, settings)
    elif given.talk:
        talk(settings)
    else:
        once(settings)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(1)  # the reader has seen enough
    except KeyboardInterrupt:
        os._exit(130)
