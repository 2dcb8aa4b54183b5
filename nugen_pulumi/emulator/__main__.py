"""The emulator from a shell: ``python -m nugen_pulumi.emulator``."""

import argparse
import logging
import math
import re
import signal
import ssl
import sys
import time
from collections.abc import Sequence
from typing import Final

from nugen_pulumi.emulator.faults import FAULTS, Fault
from nugen_pulumi.emulator.server import Emulator
from nugen_pulumi.emulator.stories import STORIES

# Ctrl-Break is what a program can send to another on Windows.
_SIGNALS: Final = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(text)
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds >= 0:
        raise ValueError(text)
    return seconds


def _faults(text: str) -> list[Fault | tuple[Fault, ...]]:
    met = []
    for item in text.split(","):
        name, _, count = item.partition(":")
        if name not in FAULTS:
            raise argparse.ArgumentTypeError(f"unknown fault {name!r}; choose from {', '.join(FAULTS)}")
        if not re.fullmatch(r"[1-9]\d{0,5}", count or "1"):
            raise ValueError(text)
        met += [FAULTS[name]()] * int(count or "1")
    return met


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError(text)
    return number


def _burst(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise ValueError(text)
    return int(text)


# How argparse calls the value in "invalid … value".
_port.__name__ = "port"
_seconds.__name__ = "seconds"
_faults.__name__ = "faults"
_positive.__name__ = "number above 0"
_burst.__name__ = "whole number above 0"


def _parser() -> argparse.ArgumentParser:
    stories = "\n".join(
        f"  {story.prefix + '...' if story.prefix else 'any other':<17}{story.meaning}" for story in STORIES
    )
    parser = argparse.ArgumentParser(
        prog="python -m nugen_pulumi.emulator",
        description="The Nugen API on loopback. Every model exists; its id determines how it behaves.",
        epilog=f"the beginning of a model's id determines its behavior:\n{stories}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_port, default=8787, help="where to listen on 127.0.0.1; 0: any free port (default: %(default)s)"
    )
    parser.add_argument(
        "--undeploy-seconds",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="how long an undeployment takes (default: %(default)g)",
    )
    parser.add_argument(
        "--deploy-seconds",
        type=_seconds,
        metavar="SECONDS",
        help="how long a deployment takes (default: as long as an undeployment)",
    )
    parser.add_argument(
        "--paths",
        choices=("documented", "newer", "both"),
        default="documented",
        help="which family of paths is served (default: %(default)s)",
    )
    parser.add_argument(
        "--list-shape",
        choices=("old", "new"),
        default="old",
        help="how the list of models describes them (default: %(default)s)",
    )
    parser.add_argument(
        "--list-lags", action="store_true", help="the list answers what was true when it was asked for the last time"
    )
    parser.add_argument("--api-key", metavar="KEY", help="the only key to accept (default: any)")
    parser.add_argument(
        "--fault",
        type=_faults,
        default=[],
        dest="faults",
        metavar="NAME[:COUNT],...",
        help="faults for the first status responses of each model, such as 503:2,hang,reset:3; possible faults: "
        + ", ".join(FAULTS),
    )
    parser.add_argument(
        "--rate", type=_positive, metavar="REQUESTS", help="requests a second that are admitted (default: all)"
    )
    parser.add_argument(
        "--burst",
        type=_burst,
        default=1,
        metavar="REQUESTS",
        help="requests that are admitted at once after a pause (default: %(default)s)",
    )
    parser.add_argument(
        "--refuse",
        type=int,
        choices=(429, 503),
        default=429,
        help="what requests beyond --rate are refused with (default: %(default)s)",
    )
    parser.add_argument(
        "--latency",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="round-trip time that is added to each request (default: 0)",
    )
    parser.add_argument(
        "--drop-used",
        action="store_true",
        help="close a connection that has carried a request when the next one arrives",
    )
    parser.add_argument("--log", action="store_true", help="print a line for each request")
    parser.add_argument(
        "--tls",
        nargs=2,
        metavar=("CERTIFICATE", "KEY"),
        help="files in PEM format: speak https; clients must trust the certificate (SSL_CERT_FILE)",
    )
    return parser


def _context(files: Sequence[str] | None, parser: argparse.ArgumentParser) -> ssl.SSLContext | None:
    if files is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(*files)
    except OSError as exc:  # an SSLError is one, too
        parser.error(f"cannot use the files of --tls: {exc}")
    return context


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C, SIGTERM or Ctrl-Break."""
    parser = _parser()
    options = parser.parse_args(argv)
    emulator = Emulator(
        api_key=options.api_key,
        undeploy_seconds=options.undeploy_seconds,
        deploy_seconds=options.deploy_seconds,
        paths=options.paths,
        list_shape=options.list_shape,
        list_lags=options.list_lags,
        port=options.port,
        models="any",
        faults=options.faults,
        rate=options.rate,
        burst=options.burst,
        refuse=options.refuse,
        latency=options.latency,
        drop_used=options.drop_used,
        tls=_context(options.tls, parser),
    )
    if options.log:
        requests, lines = logging.getLogger("uvicorn.access"), logging.StreamHandler(sys.stdout)
        lines.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        requests.addHandler(lines)
        requests.setLevel(logging.INFO)
    told: list[int] = []
    for number in _SIGNALS:
        signal.signal(number, lambda came, _: told.append(came))
    try:
        with emulator:
            key = "any value" if options.api_key is None else "the value of --api-key"
            sys.stdout.write(
                f"Nugen emulator on {emulator.url}\n"
                f"Set NUGEN_BASE_URL={emulator.url} and NUGEN_API_KEY to {key}. Press Ctrl-C to stop.\n"
            )
            sys.stdout.flush()
            while not told:  # in steps, because on Windows no signal ends a wait
                time.sleep(0.05)
    except OSError as exc:
        parser.error(f"cannot listen on port {options.port} of 127.0.0.1: {exc.strerror}")


if __name__ == "__main__":
    main()
