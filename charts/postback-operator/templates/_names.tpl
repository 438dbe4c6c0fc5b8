{{- define "postback-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "postback-operator.fullname" -}}
{{- $name := include "postback-operator.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "postback-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "postback-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "postback-operator.labels" -}}
{{ include "postback-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "postback-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "postback-operator.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name: name the existing ServiceAccount, or set serviceAccount.create" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* An image's reference. Takes the image's values and the chart's version. */ -}}
{{- define "postback-operator.image" -}}
{{- $tag := .image.tag | default .version -}}
{{- printf "%s%s%s" .image.repository (ternary "@" ":" (hasPrefix "sha256:" $tag)) $tag -}}
{{- end -}}

{{- /* The Service of the metrics, and the name in their certificate. */ -}}
{{- define "postback-operator.metricsName" -}}
{{- include "postback-operator.fullname" . }}-metrics
{{- end -}}

{{- /* The Secret with the certificate of the metrics; empty: the operator makes one at each start. */ -}}
{{- define "postback-operator.metricsSecret" -}}
{{- $certificate := .Values.metrics.certificate -}}
{{- if or $certificate.secretName $certificate.issuer.name -}}
{{- if ne (include "postback-operator.metricsAccess" .) "Authenticated" -}}
{{- fail "metrics.certificate: only with metrics.access=Authenticated the metrics are served with TLS" -}}
{{- end -}}
{{- $certificate.secretName | default (printf "%s-tls" (include "postback-operator.metricsName" .)) -}}
{{- end -}}
{{- end -}}

{{- define "postback-operator.metricsAccess" -}}
{{- $access := .Values.metrics.access | default (ternary "Off" "Authenticated" (gt (len .Values.watchNamespaces) 0)) -}}
{{- if and .Values.watchNamespaces (eq $access "Authenticated") -}}
{{- fail "metrics.access: Authenticated takes a ClusterRole, which there is none of with watchNamespaces: write Open or Off" -}}
{{- end -}}
{{- $access -}}
{{- end -}}
