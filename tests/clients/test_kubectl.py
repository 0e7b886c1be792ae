"""Two releases of kubectl, as they come: exit codes and words are those that they had against a real server."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from scenarios import workflows

PATIENCE_S = 30
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied, namespace: %(ns)s}\ndata: {a: '%(value)s'}\n"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: %(ns)s}
spec:
  replicas: 1
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: c, image: nginx}]}
"""
WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.%(ns)s.example.com}
spec:
  group: %(ns)s.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wdg]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns: [{name: Mode, type: string, jsonPath: .spec.mode}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [mode]
            properties: {mode: {type: string, enum: [fast, slow], description: How it goes.}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
WIDGET = (
    "apiVersion: %(ns)s.example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: %(ns)s}\nspec: {mode: %(mode)s}\n"
)
EDITOR = r"sed -i s/replicas:.3/replicas:\ 2/"
READY = """'{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'"""


@dataclass(frozen=True)
class Call:
    """``said`` is a pattern of its output, both streams together; ``stdin`` is given to it."""

    words: str
    said: str
    code: int = 0
    stdin: str = ""
    since: int = 0  # the first minor release that knows the command


class Kubectl:
    """One release, with a home of its own."""

    def __init__(self, release: str, kubeconfig: Path, home: Path) -> None:
        self.program = Path(sys.executable).with_name(f"kubectl-{release}")
        if not self.program.exists():
            pytest.fail(f"{self.program} is missing; .venv/bin/python .ci/kubectl.py brings it")
        self.minor = int(release.partition(".")[2])
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
            "KUBE_EDITOR": EDITOR,
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (self.program, *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            text=True,
        )

    def run(self, *words: str, stdin: str = "") -> tuple[int, str]:
        with self.start(*words) as process:
            try:
                said, _ = process.communicate(stdin, timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            return process.returncode, said

    def surprises(self, purpose: str, calls: list[Call]) -> str:
        """What did not go as told, call by call in their order; ``@ns`` is a namespace of that purpose."""
        namespace = f"{purpose}-{self.minor}"
        found = []
        for call in calls:
            if self.minor >= call.since:
                words = call.words.replace("@ns", namespace)
                code, said = self.run(*_split(words), stdin=call.stdin.replace("@ns", namespace))
                if code != call.code or not re.search(call.said.replace("@ns", namespace), said, re.DOTALL):
                    found.append(f"kubectl {words}: exit code {code} and\n{said[:600]}")
        return "\n".join(found)


def _split(words: str) -> list[str]:
    """Words; what stands between quotes is one."""
    return [quoted or plain for quoted, plain in re.findall(r"'([^']*)'|(\S+)", words)]


@pytest.fixture(params=["1.36", "1.20"])
def kubectl(request: pytest.FixtureRequest, kubeconfig: Path, tmp_path: Path) -> Kubectl:
    return Kubectl(request.param, kubeconfig, tmp_path)


def given(text: str, **values: str) -> str:
    return text % {"ns": "@ns", **values}


def test_what_a_server_says_of_itself(kubectl: Kubectl) -> None:
    calls = [
        Call("version", r"Server Version: .*v1\.36\."),
        Call("cluster-info", r"is running at .*https://127\.0\.0\.1:"),
        Call(
            "api-resources", r"configmaps +cm +v1 +true +ConfigMap\n.*workflowexecutions +wfe +kubernaut\.ai/v1alpha1"
        ),
        Call("api-resources --api-group=apps -o name", r"(^|\n)deployments\.apps\n"),
        Call("api-versions", r"(^|\n)apps/v1\n.*tekton\.dev/v1\n"),
        Call("get --raw /healthz", r"^ok$"),
        Call("get --raw /api/v1/namespaces/none", r"NotFound.*namespaces \"none\" not found", 1),
        Call("explain pod.spec.containers.image", r"FIELD: +image <string>"),
        Call("explain workflowexecution.spec", r"What to execute.*confidence\s+<number>"),
        Call("explain pod.spec.nothing", r'field "nothing" does not exist', 1),
        Call("auth can-i create pods", r"^yes\n$"),
        Call("auth can-i create pods --as alice", r"^no", 1),
        Call("auth can-i --list", r"\*\.\* "),
        Call("auth whoami", r"Username +\S*admin", since=28),
        Call("get nodes -o name", r"^node/node-0\n"),
        Call("get crd workflowexecutions.kubernaut.ai", r"^NAME +CREATED AT\nworkflowexecutions"),
        Call("wait --for=condition=Established crd/workflowexecutions.kubernaut.ai", r" condition met\n$"),
        Call("get nothing", r"the server doesn't have a resource type \"nothing\"", 1),
        Call(
            "get ns -o wide --selector kubernetes.io/metadata.name=default",
            r"^NAME +STATUS +AGE\ndefault +Active +\S+\n$",
        ),
        Call("get events -A", r"^(No resources found|NAMESPACE +LAST SEEN)"),
    ]

    assert kubectl.surprises("self", calls) == ""


def test_a_configmap_lives(kubectl: Kubectl) -> None:
    calls = [
        Call("create namespace @ns", "^namespace/@ns created\n$"),
        Call("create namespace @ns", r'AlreadyExists\): namespaces "@ns" already exists', 1),
        Call("-n @ns create configmap c --from-literal=a=b", "^configmap/c created\n$"),
        Call("-n @ns get cm c", r"^NAME +DATA +AGE\nc +1 +\d+\S*\n$"),
        Call("-n @ns get cm c -o yaml", "\ndata:\n  a: b\nkind: ConfigMap\n.*  namespace: @ns\n"),
        Call("-n @ns get cm c -o jsonpath={.data.a}", "^b$"),
        Call("diff -f -", r"\n\+  a: \"?1", 1, given(MAP, value="1")),
        Call("apply -f -", "^configmap/applied created\n$", 0, given(MAP, value="1")),
        Call("apply -f -", "^configmap/applied unchanged\n$", 0, given(MAP, value="1")),
        Call("apply -f -", "^configmap/applied configured\n$", 0, given(MAP, value="2")),
        Call("diff -f -", "^$", 0, given(MAP, value="2")),
        Call("diff -f -", r"\n-  a: \"2\"\n\+  a: \"3\"\n", 1, given(MAP, value="3")),
        Call("apply --server-side -f -", "^configmap/applied serverside-applied\n$", 0, given(MAP, value="3")),
        Call(
            "apply --server-side --field-manager=other -f -",
            r"conflict",
            1,
            given(MAP, value="4"),
        ),
        Call("replace -f -", "^configmap/applied replaced\n$", 0, given(MAP, value="5")),
        Call('-n @ns patch cm c --type merge -p \'{"data":{"z":"1"}}\'', "^configmap/c patched\n$"),
        Call('-n @ns patch cm c -p \'{"data":{"z":"2"}}\'', "^configmap/c patched\n$"),
        Call('-n @ns patch cm c --type json -p \'[{"op":"remove","path":"/data/z"}]\'', "^configmap/c patched\n$"),
        Call("-n @ns label cm c color=red", "^configmap/c labeled\n$"),
        Call("-n @ns label cm c color=blue", r"already has a value \(red\)", 1),
        Call("-n @ns annotate cm c note=x", "^configmap/c annotated\n$"),
        Call("-n @ns get cm -l color=red --field-selector metadata.name=c --chunk-size=1 -o name", "^configmap/c\n$"),
        Call("-n @ns describe cm c", "^Name: +c\n.*Labels: +color=red\nAnnotations: +note: x\n\nData\n====\na:\n"),
        Call("-n @ns create configmap d --from-literal=a=b --dry-run=server -o name", "^configmap/d\n$"),
        Call("-n @ns get cm d", r'NotFound\): configmaps "d" not found', 1),
        Call("-n @ns delete cm c", '^configmap "c" deleted'),
        Call("-n @ns delete cm --all", '^configmap "applied" deleted'),
        Call("delete namespace @ns", '^namespace "@ns" deleted\n$'),
        Call("get namespace @ns", r'NotFound\): namespaces "@ns" not found', 1),
    ]

    assert kubectl.surprises("map", calls) == ""


def test_workloads_and_rights(kubectl: Kubectl) -> None:
    calls = [
        Call("create namespace @ns", "^namespace/@ns created\n$"),
        Call("create -f -", "^deployment.apps/d created\n$", 0, given(DEPLOYMENT)),
        Call("-n @ns scale deploy d --replicas=3", "^deployment.apps/d scaled\n$"),
        Call("-n @ns get deploy,rs,cm", r"^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\n.*d +\d/3 "),
        Call("-n @ns describe deploy d", r"^Name: +d\nNamespace: +@ns\n.*Replicas: +3 desired .*Image: +nginx\n"),
        Call("-n @ns set image deploy/d c=nginx:2", "^deployment.apps/d image updated\n$"),
        Call("-n @ns get deploy d -o 'jsonpath={.spec.template.spec.containers[0].image}'", "^nginx:2$"),
        Call("-n @ns edit deploy d", "^deployment.apps/d edited\n$"),
        Call("-n @ns get deploy d -o jsonpath={.spec.replicas}", "^2$"),
        Call("-n @ns create deployment e --image=nginx", "^deployment.apps/e created\n$"),
        Call("-n @ns run p --image=nginx --restart=Never", "^pod/p created\n$"),
        Call("-n @ns get pod p -o wide", r"^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE"),
        Call("-n @ns describe pod p", r"^Name: +p\nNamespace: +@ns\n.*Image: +nginx\n"),
        Call("-n @ns logs p --tail=5", r""),
        Call("-n @ns logs nobody", r'NotFound\): pods "nobody" not found', 1),
        Call("-n @ns create secret generic s --from-literal=a=b", "^secret/s created\n$"),
        Call("-n @ns get secret s -o jsonpath={.data.a}", "^Yg==$"),
        Call("-n @ns create sa robot", "^serviceaccount/robot created\n$"),
        Call(
            "-n @ns create role reader --verb=get --resource=pods", "^role.rbac.authorization.k8s.io/reader created\n$"
        ),
        Call("-n @ns create rolebinding reads --role=reader --serviceaccount=@ns:robot", "rolebinding.*/reads created"),
        Call("-n @ns auth can-i get pods --as system:serviceaccount:@ns:robot", "^yes\n$"),
        Call("-n @ns auth can-i list pods --as system:serviceaccount:@ns:robot", "^no", 1),
        Call(
            "-n @ns get pods --as system:serviceaccount:@ns:robot", r'Forbidden\): pods is forbidden: User "system', 1
        ),
        Call("-n @ns create token robot", r"^\w+\.[\w-]+\.[\w-]+\n?$", since=24),
        Call("-n @ns create job j --image=busybox", "^job.batch/j created\n$"),
        Call("-n @ns create quota q --hard=pods=9", "^resourcequota/q created\n$"),
        Call("-n @ns get all", "pod/p .*deployment.apps/d .*job.batch/j "),
        Call("-n @ns events", "", since=26),
        Call("-n @ns delete pod p --grace-period=0 --force", 'pod "p" force deleted'),
        Call("delete namespace @ns", '^namespace "@ns" deleted\n$'),
    ]

    assert kubectl.surprises("work", calls) == ""


def test_a_deployment_rolls_and_a_job_completes(kubectl: Kubectl) -> None:
    calls = [
        Call("create namespace @ns", "created"),
        Call("-n @ns create deployment d --image=nginx --replicas=2", "^deployment.apps/d created\n$"),
        Call("-n @ns rollout status deploy/d --timeout=20s", 'deployment "d" successfully rolled out\n$'),
        Call("-n @ns wait --for=condition=Available --timeout=20s deploy/d", "condition met\n$"),
        Call("-n @ns get deploy d", r"^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nd +2/2 +2 +2 "),
        Call("-n @ns get pods -l app=d -o name", r"^pod/d-\w+-\w+\npod/d-\w+-\w+\n$"),
        Call("-n @ns set image deploy/d nginx=nginx:2", "^deployment.apps/d image updated\n$"),
        Call("-n @ns rollout status deploy/d --timeout=20s", 'deployment "d" successfully rolled out\n$'),
        Call("-n @ns rollout history deploy/d", r"REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n"),
        Call("-n @ns rollout undo deploy/d", "^deployment.apps/d rolled back\n$"),
        Call("-n @ns get deploy d -o 'jsonpath={.spec.template.spec.containers[0].image}'", "^nginx$"),
        Call("-n @ns describe deploy d", "deployment-controller +Scaled up replica set d-"),
        Call("-n @ns create job j --image=busybox", "^job.batch/j created\n$"),
        Call("-n @ns wait --for=condition=complete --timeout=20s job/j", "condition met\n$"),
        Call("-n @ns get job j", r"^NAME +(STATUS +)?COMPLETIONS +DURATION +AGE\nj +(Complete +)?1/1 "),
        Call("-n @ns delete deploy d", '^deployment.apps "d" deleted'),
        Call("drain node-1 --ignore-daemonsets --force --timeout=20s", "node/node-1 (drained|evicted)\n$"),
        Call("uncordon node-1", "^node/node-1 uncordoned\n$"),
        Call("delete namespace @ns", '^namespace "@ns" deleted\n$'),
    ]

    assert kubectl.surprises("roll", calls) == ""


def test_a_kind_that_a_user_brings_is_used_at_once(kubectl: Kubectl) -> None:
    calls = [
        Call("create namespace @ns", "^namespace/@ns created\n$"),
        Call(
            "apply -f -",
            "^customresourcedefinition.apiextensions.k8s.io/widgets.@ns.example.com created\n$",
            0,
            given(WIDGETS),
        ),
        Call("wait --for=condition=Established --timeout=10s crd/widgets.@ns.example.com", "condition met\n$"),
        Call("apply -f -", "^widget.@ns.example.com/w created\n$", 0, given(WIDGET, mode="fast")),
        Call("apply -f -", 'Unsupported value: "odd": supported values: "fast", "slow"', 1, given(WIDGET, mode="odd")),
        Call("apply -f -", "^widget.@ns.example.com/w configured\n$", 0, given(WIDGET, mode="slow")),
        Call(
            "apply --server-side --field-manager=other --force-conflicts -f -",
            "serverside-applied\n$",
            0,
            given(WIDGET, mode="fast"),
        ),
        Call("-n @ns get widgets.@ns.example.com", r"^NAME +MODE\nw +fast\n$"),
        Call(
            "-n @ns patch widgets.@ns.example.com w --subresource=status --type merge -p " + READY,
            "patched\n$",
            since=24,
        ),
        Call("-n @ns wait --for=condition=Ready --timeout=5s widgets.@ns.example.com/w", "condition met\n$", since=24),
        Call("-n @ns describe widgets.@ns.example.com w", r"^Name: +w\nNamespace: +@ns\n.*Spec:\n  Mode: +fast\n"),
        Call("explain widgets.spec.mode --api-version=@ns.example.com/v1", r"FIELD: +mode <string>.*How it goes\."),
        Call("-n @ns delete widgets.@ns.example.com w", 'widget.@ns.example.com "w" deleted'),
        Call("delete crd widgets.@ns.example.com", 'customresourcedefinition.* "widgets.@ns.example.com" deleted'),
        Call("delete namespace @ns", '^namespace "@ns" deleted\n$'),
    ]

    assert kubectl.surprises("kind", calls) == ""


def test_an_execution_is_watched_from_beginning_to_end(kubectl: Kubectl) -> None:
    name = f"watched-{kubectl.minor}"
    execution = workflows.load_folder()["increase-memory"].execution(
        name, "kubernaut-system", f"payment/Deployment/{name}"
    )
    target = kubectl.run("-n", "payment", "create", "deployment", name, "--image=nginx")
    with kubectl.start("-n", "kubernaut-system", "get", "wfe", "-w") as watch:
        created = kubectl.run("create", "-f", "-", stdin=yaml.safe_dump(execution))
        seen = _phases(watch, name)
        watch.kill()
    found = kubectl.run("-n", "kubernaut-system", "get", "wfe", name, "-o", "jsonpath={.status.phase}")
    runs = kubectl.run("get", "pipelineruns", "-A")
    logs = kubectl.run("-n", "kubernaut-workflows", "logs", "-l", "tekton.dev/memberOf=tasks", "--all-containers")
    described = kubectl.run("-n", "kubernaut-system", "describe", "wfe", name)

    assert target[0] == created[0] == 0, target[1] + created[1]
    assert seen in (["Pending", "Running", "Completed"], ["Running", "Completed"])
    assert found == (0, "Completed")
    assert re.search(r"NAMESPACE +NAME +SUCCEEDED +REASON +STARTTIME +COMPLETIONTIME\n.* True +Succeeded ", runs[1])
    assert logs[0] == 0
    assert re.search(r"Events:\n +Type +Reason +Age +From +Message\n", described[1])


def _phases(watch: subprocess.Popen[str], name: str) -> list[str]:
    """Those that lines of a watched list show, until the last one."""
    assert watch.stdout is not None
    seen: list[str] = []
    for line in watch.stdout:
        words = line.split()
        phase = next((word for word in words if word in ("Pending", "Running", "Completed", "Failed")), "")
        if name in words and phase and phase not in seen:
            seen.append(phase)
        if seen[-1:] in (["Completed"], ["Failed"]):
            break
    return seen
