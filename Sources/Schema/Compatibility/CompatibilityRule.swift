/// The rules that changes of a schema are held against. The names are stable: scripts and `// allow` comments use them.
package enum CompatibilityRule: String, CaseIterable, Sendable {
  case packageRenamed = "package-renamed"

  case serviceRemoved = "service-removed"
  case serviceRenamed = "service-renamed"
  case serviceNumberChanged = "service-number-changed"

  case methodRemoved = "method-removed"
  case methodRenamed = "method-renamed"
  case methodNumberChanged = "method-number-changed"
  case methodRequestChanged = "method-request-changed"
  case methodResponseChanged = "method-response-changed"
  case methodShapeChanged = "method-shape-changed"
  case idempotentRemoved = "idempotent-removed"
  case idempotencyKeyRemoved = "idempotency-key-removed"
  case accessNarrowed = "access-narrowed"

  case routeRemoved = "route-removed"
  case routeVariableChanged = "route-variable-changed"
  case routeStatusChanged = "route-status-changed"
  case routeLocationChanged = "route-location-changed"
  case routeETagRemoved = "route-etag-removed"

  case messageRemoved = "message-removed"
  case messageRenamed = "message-renamed"
  case messageBecameRecursive = "message-became-recursive"

  case fieldRemoved = "field-removed"
  case fieldRemovedUnreserved = "field-removed-unreserved"
  case fieldRenamed = "field-renamed"
  case fieldNumberChanged = "field-number-changed"
  case fieldTypeChanged = "field-type-changed"
  case fieldBecameOptional = "field-became-optional"
  case fieldBecameRequired = "field-became-required"
  case requiredFieldAdded = "required-field-added"
  case reservedRemoved = "reserved-removed"
  case reservedReused = "reserved-reused"
  case reservedTypeChanged = "reserved-type-changed"

  case rangeTightened = "range-tightened"
  case lengthTightened = "length-tightened"
  case patternChanged = "pattern-changed"
  case boundsLoosened = "bounds-loosened"
  case cursorRemoved = "cursor-removed"

  case enumRemoved = "enum-removed"
  case enumRenamed = "enum-renamed"
  case enumCaseRemoved = "enum-case-removed"
  case enumCaseRenamed = "enum-case-renamed"
  case enumCaseRenumbered = "enum-case-renumbered"
  case enumCaseAdded = "enum-case-added"
  case enumFirstCaseChanged = "enum-first-case-changed"
}
