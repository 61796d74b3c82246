"""The command line alone: help, version, and one line with exit code 2 for each wrong use."""
import os
import pty
import re
import socket
import stat
import subprocess
import urllib.parse
import urllib.request

import media
from harness import (EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, HTTP, LOOPBACK, PROGRAM, ROOT, check,
                     die_with_parent, main, need, until)

COMMANDS = ("publish", "watch", "relay", "seed", "export", "inspect", "keygen", "link")
LINK = "magnet:?xs=urn:btpk:" + "a" * 64 + "&s=6d696e757465737761726d"


def check_usage(case, *arguments, word=""):
    process = case.once(*arguments, seconds=20)
    lines = [line for line in process.errors.splitlines() if line.strip()]
    shown = " ".join(arguments)
    check(process.process.returncode == EXIT_USAGE,
          f"'{shown}' ended with {process.process.returncode} instead of {EXIT_USAGE}: {lines[:3]}")
    check(len(lines) == 1, f"'{shown}' says {len(lines)} lines: {lines[:5]}")
    check(word in lines[0], f"'{word}' is not in: {lines[0]}")
    check(not process.output, f"'{shown}' writes to standard output: {process.output[:100]}")


def test_help_names_every_command_and_exit_code(case):
    text = case.once("--help", code=EXIT_DONE).output
    for command in COMMANDS:
        check(re.search(rf"^ +{command} ", text, re.M), f"--help does not list {command}")
    for code in (EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED):
        check(re.search(rf"\b{code} [a-z]", text), f"--help does not explain exit code {code}")


def test_each_command_has_help(case):
    options = {
        "publish": ("--chunk", "--key", "--archive", "--retain", "--uplink", "--link-file"),
        "watch": ("--http", "--latency", "--player", "--cache", "--keep", "--peer"),
        "relay": ("--uplink",), "seed": ("--tracker",), "export": ("--from", "--to"), "link": ("--channel",),
    }
    for command in COMMANDS:
        text = case.once(command, "--help", code=EXIT_DONE).output
        for option in options.get(command, ()):
            check(option in text, f"{command} --help does not name {option}")


def options_of(case, command=None):
    """The long options a command's help lists, each at the start of its line."""
    text = case.once(*([command] if command else []), "--help", code=EXIT_DONE).output
    return set(re.findall(r"^ +(?:-\w,)?(--[a-z][a-z-]+)", text, re.M))


def test_manual_and_completions_know_the_options_of_help_and_no_others(case):
    places = {name: (ROOT / "cli" / name).read_text().replace("\\-", "-")
              for name in ("minuteswarm.1", "completion/minuteswarm.bash", "completion/_minuteswarm")}
    options = {command: options_of(case, command) for command in COMMANDS}
    check(all(len(known) >= 1 for known in options.values()), f"help lists no options: {options}")
    every = set.union(options_of(case), *options.values())
    for name, text in places.items():
        told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
        check(told >= every, f"cli/{name} does not know {sorted(every - told)}")
        check(told <= every, f"cli/{name} tells of {sorted(told - every)}, which no command takes")


def test_bash_completes_each_commands_options_and_no_others(case):
    need("bash")
    script = 'source "$1"; COMP_WORDS=(minuteswarm "$2" --); COMP_CWORD=2; _minuteswarm minuteswarm -- "$2"; ' \
             'printf "%s\\n" "${COMPREPLY[@]}"'
    for command in COMMANDS:
        completer = case.run(["bash", "-c", script, "-", ROOT / "cli/completion/minuteswarm.bash", command], "bash")
        completer.wait_exit(10, 0)
        offered = {word for word in completer.output.split() if word.startswith("--")}
        known = options_of(case, command)
        check(offered == known, f"{command}: completion and help differ in {sorted(offered ^ known)}")


def test_version_is_that_of_the_build(case):
    said = case.once("--version", code=EXIT_DONE).output.strip()
    wanted = os.environ.get("MINUTESWARM_VERSION")
    check(wanted, "MINUTESWARM_VERSION is not set: run this through ctest")
    check(said in (wanted, f"minuteswarm {wanted}"), f"--version says '{said}' instead of {wanted}")


def test_no_command_is_wrong_usage(case):
    check_usage(case)


def test_unknown_commands_and_options_are_wrong_usage(case):
    check_usage(case, "broadcast", word="broadcast")
    for command in COMMANDS:
        check_usage(case, command, "--no-such-option", "x", word="--no-such-option")


def test_missing_arguments_are_wrong_usage(case):
    for command in COMMANDS:
        check_usage(case, command)
    check_usage(case, "publish", "in.ts", word="--channel")


def test_values_out_of_range_are_wrong_usage(case):
    publish = ("publish", "in.ts", "--key", "k")
    for option, values in {"--chunk": ("0", "0.5", "121", "-1", "4x", "four", "nan"),
                           "--uplink": ("fast", "-1", "1X", "99999999999999999999", "0", "5", "15.9k"),
                           "--tracker": ("nowhere",), "--web-seed": ("ftp://x/", "x"), "--dht-bootstrap": ("x",),
                           "--retain": ("24x", "-1h", ""), "--listen": ("here", "127.0.0.1:70000", "127.0.0.1:x"),
                           "--http": ("127.0.0.1", "127.0.0.1:99999"), "--peer": ("nowhere", "127.0.0.1:0"),
                           "--proxy": ("http://127.0.0.1:1", "socks5://x")}.items():
        for value in values:
            check_usage(case, *publish, f"{option}={value}", word=option)
    for option, values in {"--latency": ("0", "-3", "soon", "601"), "--cache-size": ("2Q", "-1")}.items():
        for value in values:
            check_usage(case, "watch", LINK, f"{option}={value}", word=option)
    for option in ("--from", "--to"):
        check_usage(case, "export", "folder", "-o", "out.mp4", f"{option}=later", word=option)


def test_a_rate_without_its_unit_and_an_empty_command_are_wrong_usage(case):
    check_usage(case, "publish", "in.ts", "--key", "k", "--uplink", "5", word="did you mean 5M?")
    check_usage(case, "publish", "in.ts", "--key", "k", "--uplink", "0", word="leave it out")
    for command in ("", " "):
        check_usage(case, "watch", LINK, "--player", command, word="--player")


def test_what_is_no_key_and_no_archive_is_named(case):
    film = media.recording(6)
    for options, said in ((("--key", film), "is no key file"), (("--key", "k", "--archive", film), "is a file, not a folder")):
        refused = case.once("publish", film, *options, *LOOPBACK, seconds=20, code=EXIT_FAILED).errors
        check(f"{film} {said}" in refused and len(refused.splitlines()) == 1, f"it says: {refused}")


def test_options_that_exclude_each_other_are_wrong_usage(case):
    check_usage(case, "publish", "in.ts", "--key", "k", "--channel", "c", word="--channel")
    check_usage(case, "link", "folder", "--key", "k", word="--key")
    check_usage(case, "link", "--channel", "c", "--key", "k", word="--key")


def test_wrong_usage_points_at_the_help_that_explains_it(case):
    check("see minuteswarm --help" in case.once("broadcast").errors, "an unknown command")
    for command in COMMANDS:
        said = case.once(command, "--no-such-option").errors
        check(f"see minuteswarm {command} --help" in said, f"{command}: {said}")


def test_a_key_is_made_once_and_for_its_owner_alone(case):
    path = case.folder / "made.key"
    case.once("keygen", path, code=EXIT_DONE)
    check(stat.S_IMODE(path.stat().st_mode) == 0o600, f"the key's mode is {path.stat().st_mode:o}")
    before = path.read_bytes()
    again = case.once("keygen", path, code=EXIT_FAILED)
    check("made.key" in again.errors, f"the existing key is not named: {again.errors}")
    check(path.read_bytes() == before, "keygen replaced a key")


def test_a_key_is_made_in_no_folder_that_is_not_there(case):
    for command in (("keygen", "new/folder/made.key"), ("publish", "in.ts", "--key", "new/folder/made.key")):
        refused = case.once(*command, seconds=20, code=EXIT_FAILED)
        check("no folder new/folder" in refused.errors, f"{command[0]}: {refused.errors}")
        check(not (case.folder / "new").exists(), f"{command[0]} made the folder")


def test_files_that_are_not_there_are_named(case):
    for command in (("seed", "nowhere"), ("export", "nowhere", "-o", "out.mp4"), ("inspect", "nowhere"),
                    ("link", "nowhere"), ("watch", "nowhere")):
        process = case.once(*command, seconds=20, code=EXIT_FAILED)
        check("nowhere" in process.errors, f"{command[0]}: {process.errors}")
        check(len(process.errors.strip().splitlines()) == 1, f"{command[0]} says more than one line: {process.errors}")


def publish_for_people(case, *options):
    return case.run([PROGRAM, "publish", media.recording(20), "--loop", "--chunk", "2", "--key", case.folder / "own.key",
                     "--archive", case.folder / "archive", *LOOPBACK, *options], "people")


def said_line(process, start):
    """Waits for a line on standard error that starts so; returns its rest."""
    def ask():
        check(process.is_running(), f"it ended before it said '{start}': {process.errors}")
        return re.search(rf"^{re.escape(start)}(.*)\n", process.errors, re.M)
    return until(ask, 40, f"the line '{start}'").group(1)


def check_plain(process, *starts):
    """Each of these starts just one line, in this order, and there is nothing but text."""
    check(re.fullmatch(r"[ -~\n]*\n", process.errors), f"not plain lines: {process.errors!r}")
    lines = process.errors.splitlines()
    places = [[at for at, line in enumerate(lines) if line.startswith(start)] for start in starts]
    for start, found in zip(starts, places):
        check(len(found) == 1, f"{len(found)} lines start with '{start}': {lines}")
    check(places == sorted(places), f"not in the order {starts}: {lines}")
    check(not process.output, f"standard output has {process.output[:100]}")


def test_people_are_told_what_they_need_in_plain_lines(case):
    publisher = publish_for_people(case)
    link = re.fullmatch("minuteswarm watch '(magnet:.*)'", said_line(publisher, "watch with:  ")).group(1)
    viewer = case.run([PROGRAM, "watch", link, *LOOPBACK, *HTTP], "people")
    with urllib.request.urlopen(said_line(viewer, "watch at ") + "api/status", timeout=10) as reply:
        check(reply.status == 200, "the address that it names does not answer")
    said_line(viewer, "live")
    said_line(publisher, "chunk 2: ")
    publisher.interrupt()
    publisher.wait_exit(40, EXIT_INTERRUPTED)
    viewer.wait_exit(40, EXIT_DONE)
    check_plain(publisher, "recording h264", "watch with:  ", "chunk 2: ", "stopping: ", "the event has ended; ")
    check_plain(viewer, "watch at http://127.0.0.1:", "starting: ", "live", "ended")


def on_terminal(case, *arguments):
    """What the program writes to a terminal until it ends."""
    ours, its = pty.openpty()
    process = subprocess.Popen([str(word) for word in (PROGRAM, *arguments)], stdin=subprocess.DEVNULL, stderr=its,
                               stdout=subprocess.DEVNULL, cwd=case.folder, preexec_fn=die_with_parent,
                               env={**os.environ, **case.environment})
    os.close(its)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # its end of the terminal is closed
        pass
    os.close(ours)
    check(process.wait(20) == EXIT_DONE, f"exit code {process.returncode}: {written[-300:]!r}")
    return written.decode()


def lines_left(written):
    """The lines of a terminal after all that was written to it; knows \\r and 'erase to the end'."""
    lines, column = [""], 0
    for part in re.findall(r"\x1b\[K|[\r\n]|[^\x1b\r\n]+|.", written):
        if part == "\x1b[K":
            lines[-1] = lines[-1][:column]
        elif part == "\r":
            column = 0
        elif part == "\n":
            lines.append("")
        else:
            lines[-1] = lines[-1][:column] + part + lines[-1][column + len(part):]
            column += len(part)
    return lines


def test_a_terminal_shows_one_live_line_that_is_gone_at_the_end(case):
    written = on_terminal(case, "publish", media.recording(6), "--chunk", "2", "--key", case.folder / "own.key",
                          "--archive", case.folder / "archive", *LOOPBACK)
    shown = re.findall(r"\r\x1b\[K(live  [^\r\n]*)", written)
    check(len(shown) >= 2, f"no live line: {written!r}")
    check(all(len(line) < 80 for line in shown), f"it would wrap: {shown}")
    left = lines_left(written)
    check(left[-1] == "", f"the live line stays: {left}")
    check(not [line for line in left if "Mbit/s" in line or line.startswith("chunk ")], f"lines of passing things: {left}")
    for start in ("recording h264", "watch with:  ", "the event has ended; "):
        check(len([line for line in left if line.startswith(start)]) == 1, f"'{start}' is not there once: {left}")


def fields_within(value):
    """Names of the fields of an object, or of the objects of a list."""
    parts = value if isinstance(value, list) else [value]
    return {name for part in parts if isinstance(part, dict) for name in part}


def test_the_readme_defines_every_field_of_the_status(case):
    first = case.watch(LINK)
    second = case.watch(LINK, peers=[first])
    address = urllib.parse.urlsplit(first.url)
    with socket.create_connection((address.hostname, address.port)) as player:
        player.sendall(f"GET /stream.ts HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        status = first.until_status(lambda status: status["peers"] and status["clients"], 20, "has a peer and a player")
    check(second.is_running(), "the second viewer ended")
    table = (ROOT / "README.md").read_text().partition("\n## Status fields\n")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    defined = {}
    for row in rows:
        for name in re.findall(r"`(\w+)[^`]*`", row.split("|")[1]):
            defined.setdefault(name, "")
            defined[name] += row
    check(set(defined) == set(status), f"the table and the status differ in {set(defined) ^ set(status)}")
    for name, row in defined.items():
        for field in fields_within(status[name]):
            check(re.search(rf"`(\w+\.)?{field}`", row), f"the table does not define {name}.{field}")


if __name__ == "__main__":
    main()
