{{- /*
For charts that have this one as a dependency, with `mode: sidecar` in its values. Their context is `.Subcharts`:

  initContainers:
    {{- include "ssec-proxy.sidecar" (index .Subcharts "ssec-proxy") | nindent 4 }}
  containers:
    - name: program
      env:
        {{- include "ssec-proxy.sidecar.env" (index .Subcharts "ssec-proxy") | nindent 8 }}
  volumes:
    {{- include "ssec-proxy.sidecar.volumes" (index .Subcharts "ssec-proxy") | nindent 4 }}

with the labels of `ssec-proxy.sidecar.labels` and the annotations of `ssec-proxy.sidecar.annotations` on the pod.
*/ -}}

{{- /* A native sidecar: started and ready before the pod's containers, ended after them. An entry of initContainers. */ -}}
{{- define "ssec-proxy.sidecar" -}}
{{- if ne .Values.mode "sidecar" -}}
{{- fail "ssec-proxy: its values need `mode: sidecar` here" -}}
{{- end -}}
- {{ include "ssec-proxy.container" . | nindent 2 | trim }}
  restartPolicy: Always
{{- end -}}

{{- /* An entry of volumes. */ -}}
{{- define "ssec-proxy.sidecar.volumes" -}}
- {{ include "ssec-proxy.volume" . | nindent 2 | trim }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Entries of env for the program beside it. */ -}}
{{- define "ssec-proxy.sidecar.env" -}}
{{- $port := 0 -}}
{{- range (include "ssec-proxy.config" . | fromYaml).listeners -}}
{{- if and (hasKey . "http") (not $port) -}}{{- $port = int .http.port -}}{{- end -}}
{{- end -}}
{{- if not $port -}}
{{- fail "ssec-proxy: config.listeners: a sidecar needs an http listener" -}}
{{- end -}}
{{- $variables := list "AWS_ENDPOINT_URL_S3" "S3_ENDPOINT_URL" "RCLONE_S3_ENDPOINT" "MLFLOW_S3_ENDPOINT_URL" -}}
{{- range $i, $variable := $variables -}}
{{- if $i }}{{ "\n" }}{{ end -}}
- name: {{ $variable }}
  value: http://127.0.0.1:{{ $port }}
{{- end }}
{{- with .Values.sidecar.region }}
- name: AWS_REGION
  value: {{ . }}
- name: AWS_DEFAULT_REGION
  value: {{ . }}
{{- end }}
{{- $secret := default .Values.secrets.existingSecret .Values.sidecar.credentialsSecret }}
{{- if and $secret (ne $secret "none") }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: access-key-id }
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: secret-access-key }
{{- end }}
{{- end -}}

{{- define "ssec-proxy.sidecar.labels" -}}
ssec-proxy.io/injected: 'true'
{{- end -}}

{{- /* A pod is replaced when its configuration changes. */ -}}
{{- define "ssec-proxy.sidecar.annotations" -}}
ssec-proxy.io/config-checksum: {{ include "ssec-proxy.config" . | sha256sum }}
{{- end -}}
