{{- define "postback-operator.consoleName" -}}
{{- include "postback-operator.fullname" . }}-console
{{- end -}}

{{- define "postback-operator.consoleSelector" -}}
app.kubernetes.io/name: {{ include "postback-operator.name" . }}-console
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "postback-operator.consoleLabels" -}}
{{ merge (include "postback-operator.consoleSelector" . | fromYaml) (include "postback-operator.labels" . | fromYaml) | toYaml }}
{{- end -}}

{{- /* What keeps the console from being installed as the values say. */ -}}
{{- define "postback-operator.consoleCheck" -}}
{{- if .Values.watchNamespaces -}}
{{- fail "console.enabled: takes ClusterRoles, which there are none of with watchNamespaces" -}}
{{- end -}}
{{- if not .Values.console.hosts -}}
{{- fail "console.hosts: name the host under which the console answers" -}}
{{- end -}}
{{- if and (eq .Values.console.auth "proxy") (not .Values.console.proxySecretName) -}}
{{- fail "console.proxySecretName: name the Secret by whose field `secret` the proxy is believed" -}}
{{- end -}}
{{- if and (ne .Values.console.auth "proxy") .Values.console.proxySecretName -}}
{{- fail "console.proxySecretName: is for console.auth=proxy" -}}
{{- end -}}
{{- end -}}
