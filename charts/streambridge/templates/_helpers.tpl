{{- define "streambridge.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streambridge.serviceAccount" -}}
{{- default (include "streambridge.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "streambridge.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "streambridge.labels" -}}
{{ include "streambridge.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "streambridge.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The namespaces of namespaced mode, as a JSON list. */}}
{{- define "streambridge.namespaces" -}}
{{- default (list .Release.Namespace) .Values.watchNamespaces | toJson -}}
{{- end -}}

{{/* A list of patterns, in which * is any text, as one regular expression (RE2) without backslashes: the text stands inside of quotes. */}}
{{- define "streambridge.expression" -}}
^({{ range $index, $pattern := . }}{{ if $index }}|{{ end }}{{ $pattern | replace "." "[.]" | replace "*" ".*" }}{{ end }})$
{{- end -}}

{{/* What the operator may do where StreamBridges live. One list for both modes. */}}
{{- define "streambridge.bridgeRules" -}}
- apiGroups: [streambridge.dev]
  resources: [streambridges]
  verbs: [get, list, watch, patch] # patch: only their finalizers
- apiGroups: [streambridge.dev]
  resources: [streambridges/status]
  verbs: [patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: ['']
  resources: [configmaps]
  verbs: [get, list, create, patch, delete]
- apiGroups: ['']
  resources: [serviceaccounts]
  verbs: [get, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, create, patch, delete]
# Bridges keep positions in Leases. The operator gives them that right, and nobody can give what he has not.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, create, update, delete]
- apiGroups: ['']
  resources: [pods]
  verbs: [list, watch]
# Only Secrets that a StreamBridge names are read, one by one: to say which key is missing, and to restart on rotation.
- apiGroups: ['']
  resources: [secrets]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [get, create, patch, delete]
{{- end -}}
