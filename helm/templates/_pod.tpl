{{- /* The proxy's container, without what a sidecar has besides. */ -}}
{{- define "ssec-proxy.container" -}}
{{- $config := include "ssec-proxy.config" . | fromYaml -}}
name: ssec-proxy
image: {{ include "ssec-proxy.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve, --config, /etc/ssec-proxy/ssec-proxy.yaml]
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- range $i, $port := include "ssec-proxy.listenerPorts" . | fromJsonArray }}
  - name: {{ ternary "https" (printf "https-%d" $i) (eq $i 0) }}
    containerPort: {{ $port }}
    {{- if and (eq $i 0) (eq $.Values.mode "daemonset") $.Values.daemonset.hostPort }}
    hostPort: {{ $.Values.daemonset.hostPort }}
    {{- end }}
  {{- end }}
  - name: ssec-admin
    containerPort: {{ $config.admin.port }}
startupProbe:
  httpGet: { path: /healthz, port: ssec-admin }
  {{- toYaml .Values.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: { path: /healthz, port: ssec-admin }
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: { path: /readyz, port: ssec-admin }
  {{- toYaml .Values.probes.readiness | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - name: ssec-proxy
    mountPath: /etc/ssec-proxy
    readOnly: true
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- /* Everything that lies beside the configuration, in one volume, so that it changes at once. */ -}}
{{- define "ssec-proxy.volume" -}}
name: ssec-proxy
projected:
  # A sidecar cannot count on an fsGroup of the pod; only it mounts this.
  defaultMode: {{ ternary "292 # 0444" "288 # 0440" (eq .Values.mode "sidecar") }}
  sources:
    - configMap:
        name: {{ include "ssec-proxy.fullname" . }}
    {{- with .Values.keyrings.existingSecret }}
    - secret:
        name: {{ . }}
    {{- end }}
    {{- with .Values.secrets.existingSecret }}
    - secret:
        name: {{ . }}
    {{- end }}
    {{- with include "ssec-proxy.tlsSecret" . }}
    - secret:
        name: {{ . }}
        items:
          - { key: tls.crt, path: tls.crt }
          - { key: tls.key, path: tls.key }
    {{- end }}
    {{- with .Values.extraSources }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- /* The pod of the Deployment and the DaemonSet. */ -}}
{{- define "ssec-proxy.podTemplate" -}}
metadata:
  labels:
    {{- include "ssec-proxy.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- include "ssec-proxy.sidecar.annotations" . | nindent 4 }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "ssec-proxy.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automountToken }}
  terminationGracePeriodSeconds: {{ include "ssec-proxy.gracePeriod" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  enableServiceLinks: false
  {{- with .Values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - {{ include "ssec-proxy.container" . | nindent 6 | trim }}
      {{- if .Values.preStopSeconds }}
      lifecycle:
        preStop:
          sleep: { seconds: {{ .Values.preStopSeconds }} }
      {{- end }}
  volumes:
    - {{ include "ssec-proxy.volume" . | nindent 6 | trim }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and (eq .Values.mode "deployment") .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range .Values.topologySpreadConstraints }}
    - {{ toYaml . | nindent 6 | trim }}
      {{- if not (hasKey . "labelSelector") }}
      labelSelector:
        matchLabels:
          {{- include "ssec-proxy.selectorLabels" $ | nindent 10 }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}
