# Makes cargo-cyclonedx's list of parts true: it lists what the lock file could resolve to, ours what is really compiled in.
# In: the list. Arguments: $real, "name version" of each crate as `cargo tree` resolves it for this program; $bundled, libraries in C that
# a crate brings along: {name, version, crate, licence}. Out: the list.

def called: "\(.name) \(.version)";

($real | split("\n") | map(select(. != "")) | unique) as $wanted
| .metadata.component."bom-ref" as $main
| (.components | map(select(called as $c | $wanted | index([$c])))) as $kept
| ($kept | map(."bom-ref")) as $refs
| .components = $kept + ($bundled | map({
      type: "library",
      "bom-ref": "bundled:\(.name)@\(.version)",
      name, version,
      description: "bundled with the crate \(.crate) and linked statically",
      scope: "required",
      licenses: [{ expression: .licence }],
      purl: "pkg:generic/\(.name)@\(.version)"
  }))
| .dependencies |= map(select(.ref as $r | $r == $main or ($refs | index([$r])))
      | if .dependsOn then .dependsOn |= map(select(. as $r | $refs | index([$r]))) else . end)
