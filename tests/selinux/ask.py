#!/usr/bin/python3
"""Asks a linked SELinux policy what the daemon's domain can do, with Debian's setools. tests/selinux.rs runs it and judges the answers.

  ask.py claims POLICY   what breaks a claim, one line each: the claim, a tab, the rule. Nothing is good news
  ask.py reach  POLICY   everything that the domain is allowed, one line each: target, class, rights, and the boolean that must be on
  ask.py others POLICY   who else: domains that read or write the state, call the daemon, look into it, become it
  ask.py flows  POLICY   where the domain sends information, by setools' information flow analysis

Allow rules are looked at with their attributes resolved, conditional ones whatever their boolean says, as the kernel could come to apply
them. Not seen here: what constraints (MCS, roles) take away besides; so the answers err on the side of more.
"""

import sys

import setools

DOMAIN = "contactpointd_t"
PROGRAM = "contactpointd_exec_t"
PORT = "contactpointd_port_t"
HSM_PORT = "contactpointd_hsm_port_t"
STATE = "contactpointd_var_lib_t"
BOOLEANS = ["contactpointd_network_hsm", "contactpointd_pcscd", "contactpointd_usb_hsm"]

HARMLESS_DEVICES = {"devtty_t", "null_device_t", "zero_device_t", "urandom_device_t"}
DISKS = {"fixed_disk_device_t", "removable_device_t", "scsi_generic_device_t", "tape_device_t", "lvm_control_t"}
USB = {"usb_device_t", "usbmon_device_t", "usbtty_device_t"}
FILES = {"file", "dir", "lnk_file", "sock_file", "fifo_file", "chr_file", "blk_file"}
WRITING = {"write", "append", "create", "unlink", "rename", "link", "setattr", "add_name", "remove_name", "rmdir", "reparent"}
UNIX = {"unix_stream_socket", "unix_dgram_socket"}
# What a socket that was handed over needs, and no more.
ANSWERING = {"accept", "getattr", "getopt", "read", "setopt", "shutdown", "write"}


class Rule:
    """One allow rule between single types: target and class as text, rights as a set, the boolean that must be on or an empty text."""

    def __init__(self, target, rule):
        self.target, self.tclass = str(target), str(rule.tclass)
        self.rights = {str(right) for right in rule.perms}
        try:
            self.boolean = str(rule.conditional) if rule.conditional_block else f"not {rule.conditional}"
        except setools.exception.RuleNotConditional:
            self.boolean = ""

    def __str__(self):
        return f"{self.target} {self.tclass} {{ {' '.join(sorted(self.rights))} }}" + (f" [{self.boolean}]" if self.boolean else "")


def rules_of(policy):
    """Every allow rule whose source is the domain or an attribute of it, once for each type that it reaches."""
    return [Rule(target, rule) for rule in allowed(policy, source=DOMAIN, source_indirect=True) for target in rule.target.expand()]


def allowed(policy, **criteria):
    return setools.TERuleQuery(policy, ruletype=["allow"], **criteria).results()


def members(policy, attribute):
    return {str(member) for member in policy.lookup_typeattr(attribute).expand()}


def claims(policy):
    """Yields (claim, rule) for every rule that breaks a claim of docs/selinux.md."""
    devices = members(policy, "device_node") - HARMLESS_DEVICES
    homes = members(policy, "user_home_content_type") | {"user_home_dir_t", "home_root_t"}
    rules = rules_of(policy)
    for rule in rules:
        for claim in broken_by(rule, devices, homes):
            yield claim, str(rule)
    for rule in setools.TERuleQuery(policy, ruletype=["type_transition"], source=DOMAIN, source_indirect=True, tclass=["process"]).results():
        yield "domain", str(rule)
    for step in setools.DomainTransitionAnalysis(policy).transitions(DOMAIN):
        yield "domain", f"{step.source} -> {step.target}"
    for name in BOOLEANS:
        if policy.lookup_boolean(name).state:
            yield "booleans", f"{name} is on by default"
    if policy.lookup_type(DOMAIN).ispermissive:
        yield "enforced", f"{DOMAIN} is permissive"


def broken_by(rule, devices, homes):
    """The claims that one rule breaks."""
    has = rule.rights.intersection
    if rule.tclass == "blk_file" or rule.target in DISKS:
        yield "disks"
    if rule.target in USB and rule.boolean != "contactpointd_usb_hsm":
        yield "usb"
    if rule.target in devices - DISKS - USB and rule.tclass in {"chr_file", "file"}:
        yield "devices"
    if rule.tclass == "process" and has({"execmem", "execstack", "execheap"}) or (has({"execmod"}) and rule.target != "textrel_shlib_t"):
        yield "memory"
    if has({"ptrace"}) or (rule.tclass == "process" and rule.target != DOMAIN and has({"signal", "sigkill", "sigstop"})):
        yield "processes"
    if rule.tclass.startswith("cap"):
        yield "capabilities"
    if calls_out(rule):
        yield "calls"
    if has({"execute_no_trans"}) or ("entrypoint" in rule.rights and rule.target != PROGRAM) or ("execute" in rule.rights and rule.target == STATE):
        yield "programs"
    if rule.tclass == "process" and has({"transition", "dyntransition", "setcurrent", "setexec", "setfscreate", "setsockcreate"}):
        yield "domain"
    if has({"relabelfrom", "relabelto"}):
        yield "labels"
    if rule.target in homes and rule.tclass in FILES:
        yield "homes"
    if rule.tclass in FILES - {"sock_file", "chr_file", "fifo_file"} and has(WRITING) and rule.target not in {STATE, DOMAIN}:
        yield "writes"
    if rule.tclass in {"system", "security", "bpf", "perf_event"} or (rule.tclass == "filesystem" and rule.rights != {"getattr"}) or has({"mounton"}):
        yield "kernel"


def calls_out(rule):
    """Any way to a peer that nobody handed over: by TCP beside the network HSM's boolean, or by another protocol. Unix sockets: reach.txt."""
    if rule.tclass in {"node", "netif", "peer", "packet", "association"}:
        return bool(rule.rights - {"recv", "recvfrom", "sendto"})
    if rule.tclass == "netlink_kobject_uevent_socket":
        return rule.target != DOMAIN or rule.boolean != "contactpointd_usb_hsm"
    if rule.tclass != "tcp_socket":
        return rule.tclass.endswith("_socket") and rule.tclass not in UNIX
    if rule.target == PORT:
        return rule.rights != {"name_bind"}
    if rule.boolean == "contactpointd_network_hsm":
        return not rule.rights <= {DOMAIN: {"connect", "create"}, HSM_PORT: {"name_connect"}}.get(rule.target, set())
    return bool(rule.rights - ANSWERING - {"recvfrom", "node_bind"})


def reach(policy):
    """Everything that is allowed, rights of several rules taken together."""
    together = {}
    for rule in (Rule(rule.target, rule) for rule in allowed(policy, source=DOMAIN, source_indirect=True)):
        together.setdefault((rule.boolean, rule.target, rule.tclass), set()).update(rule.rights)
    always = {key[1:]: rights for key, rights in together.items() if not key[0]}
    for (boolean, target, tclass), rights in together.items():
        rights = rights - always.get((target, tclass), set()) if boolean else rights
        if rights:
            yield f"{target} {tclass} {{ {' '.join(sorted(rights))} }}" + (f" [{boolean}]" if boolean else "")


def others(policy):
    """Who else: a line for each right and domain. Unconfined domains, which may do anything to anybody, are one."""
    asked = [
        ("reads-state", STATE, "file", {"read"}, {"open"}),
        ("writes-state", STATE, "file", {"write", "append"}, {"open"}),
        ("reaches-socket", DOMAIN, "unix_stream_socket", {"connectto"}, set()),
        ("looks-into", DOMAIN, "process", {"ptrace"}, set()),
        ("becomes", DOMAIN, "process", {"transition", "dyntransition"}, set()),
        ("listens-instead", PORT, "tcp_socket", {"name_bind"}, set()),
    ]
    unconfined = members(policy, "unconfined_domain_type")
    for right, target, tclass, any_of, all_of in asked:
        held = {}
        for rule in allowed(policy, target=target, target_indirect=True, tclass=[tclass]):
            for source in map(str, rule.source.expand()):
                held.setdefault("unconfined" if source in unconfined and right != "becomes" else source, set()).update(map(str, rule.perms))
        for source, rights in held.items():
            if source != DOMAIN and rights & any_of and all_of <= rights:
                yield f"{right} {source}"


def flows(policy):
    """Where the domain itself sends information, however little of it. (Who reads its /proc is not its doing.)"""
    analysis = setools.InfoFlowAnalysis(policy, setools.PermissionMap(), min_weight=1)
    for step in analysis.infoflows(DOMAIN):
        if any(DOMAIN in map(str, rule.source.expand()) for rule in step.rules):
            yield str(step.target)


def main():
    question, path = sys.argv[1:]
    policy = setools.SELinuxPolicy(path)
    if question == "claims":
        lines = ["\t".join(found) for found in claims(policy)]
    else:
        lines = {"reach": reach, "others": others, "flows": flows}[question](policy)
    for line in sorted(set(lines)):
        print(line)


if __name__ == "__main__":
    main()
