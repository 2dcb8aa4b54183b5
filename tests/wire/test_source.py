"""The plugin from source, as Pulumi starts what `PulumiPlugin.yaml` describes."""

import json
import subprocess
import sys
from pathlib import Path

import grpc
import yaml
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "provider"


def test_it_is_the_plugin(tmp_path):
    """A host of Pulumi's runs the folder, with the engine's address behind it."""
    command = [sys.executable, str(SOURCE), "127.0.0.1:1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        try:
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                schema = json.loads(stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
        finally:
            process.kill()

    assert "nugen" == schema["name"]


def test_the_manifest_stands_where_the_plugin_is():
    """At the root, the demo's `__main__.py` would be started as the plugin."""
    manifest = yaml.safe_load((SOURCE / "PulumiPlugin.yaml").read_text("utf-8"))

    assert "python" == manifest["runtime"]["name"]
    assert not (ROOT / "PulumiPlugin.yaml").exists()
    assert ".." == (SOURCE / "requirements.txt").read_text("utf-8").splitlines()[-1], "installs the package beside it"
