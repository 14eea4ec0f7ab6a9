"""The images, the manifest for Kubernetes, and the workflow of a release."""

import json
import re
from importlib.metadata import version
from typing import Any

import yaml

from mcp_server.settings import Settings
from tests.conftest import ROOT

LISTING = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage of the Dockerfile, after those of the stage that it starts from."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    found: dict[str, list[tuple[str, str]]] = {}
    stage: list[tuple[str, str]] = []
    for line in filter(str.strip, text.splitlines()):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            start, _, name = rest.partition(" AS ")
            stage = found[name] = list(found.get(start, []))
        stage.append((instruction, rest))
    return found


def labels(stage: list[tuple[str, str]]) -> dict[str, str]:
    return dict(re.findall(r'(\S+)="([^"]*)"', " ".join(rest for name, rest in stage if name == "LABEL")))


def test_both_images_are_labelled_as_this_release() -> None:
    built = stages()
    # Docker builds the last stage unless a target is named.
    assert list(built) == ["build", "program", "standalone", "server"]
    for name in ("standalone", "server"):
        shown = labels(built[name])
        assert shown["org.opencontainers.image.version"] == version("gearshed")
        assert shown["org.opencontainers.image.licenses"] == "MIT"
        assert shown["io.modelcontextprotocol.server.name"] == LISTING["name"]


def test_the_standalone_image_stores_data_in_a_volume_that_its_user_owns() -> None:
    server, standalone = stages()["server"], stages()["standalone"]
    (volume,) = [rest for name, rest in standalone if name == "VOLUME"]
    assert not any(name == "VOLUME" for name, _ in server)
    assert any(name == "ENV" and f"GEARSHED_DATA_DIR={volume}" in rest for name, rest in standalone)
    assert any(
        name == "RUN" and f"--owner=gearshed --group=gearshed --mode=700 {volume}" in rest
        for name, rest in standalone
    )
    for instruction in ("USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"):
        same = [[rest for name, rest in stage if name == instruction] for stage in (server, standalone)]
        assert same[0] == same[1] != []
    (copied,) = [rest for name, rest in standalone if name == "COPY"]
    assert copied == "--from=build /opt/standalone /opt/gearshed"


def manifest() -> dict[str, dict[str, Any]]:
    text = (ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def test_the_manifest_confines_the_server() -> None:
    pod = manifest()["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (user,) = [rest for name, rest in stages()["server"] if name == "USER"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == int(user)
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["image"] == f"gearshed:{version('gearshed')}"


def test_the_manifest_probes_the_server_and_refers_to_its_secrets() -> None:
    resources = manifest()
    deployment, service = resources["Deployment"]["spec"], resources["Service"]["spec"]
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness")}
    for name in ("liveness", "readiness"):
        # With the address of the pod as its host name, a request is refused, and the pod would be restarted.
        assert container[f"{name}Probe"]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    assert probes == {"liveness": "/livez", "readiness": "/readyz"}
    assert (
        deployment["template"]["metadata"]["labels"]
        == deployment["selector"]["matchLabels"]
        == service["selector"]
    )
    assert service["ports"][0]["targetPort"] == container["ports"][0]["name"] == "http"
    variables = {each["name"]: each for each in container["env"]}
    known = {
        "DATABASE_URL",
        "DATABASE_PASSWORD_FILE",
        *(f"GEARSHED_{name.upper()}" for name in Settings.model_fields),
    }
    assert variables.keys() <= known
    assert variables["DATABASE_URL"]["valueFrom"] == {"secretKeyRef": {"name": "gearshed", "key": "url"}}
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    assert mount["name"] == volume["name"]
    assert (
        variables["DATABASE_PASSWORD_FILE"]["value"]
        == f"{mount['mountPath']}/{volume['secret']['items'][0]['path']}"
    )


def test_the_release_is_published_without_a_stored_password() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert "secrets." not in text
    assert [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})] == ["publish"]
    assert jobs["publish"]["needs"] == "wheel"
    assert jobs["wheel"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert not any("checkout" in step.get("uses", "") for step in jobs["wheel"]["steps"])
