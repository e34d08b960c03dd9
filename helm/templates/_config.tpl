{{- /* The configuration with the chart's values for what is left out, as YAML. */ -}}
{{- define "ssec-proxy.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if not (hasKey $config "admin") -}}
{{- $_ := set $config "admin" (dict "host" "0.0.0.0" "port" 9464) -}}
{{- end -}}
{{- if not (hasKey $config "listeners") -}}
{{- if eq .Values.mode "sidecar" -}}
{{- $_ := set $config "listeners" (list (dict "http" (dict "host" "127.0.0.1" "port" 9000))) -}}
{{- else -}}
{{- $https := dict "host" "0.0.0.0" "port" 8443 "cert" "tls.crt" "key" "tls.key" -}}
{{- $_ := set $config "listeners" (list (dict "https" $https)) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.mode "sidecar") (not $config.identities) -}}
{{- $pod := dict "name" "pod" "accessKeyId" (dict "file" "access-key-id") "secretAccessKey" (dict "file" "secret-access-key") -}}
{{- $_ := set $pod "grants" (list (dict "bucket" "*" "permissions" (list "read" "write" "delete" "list"))) -}}
{{- $_ := set $config "identities" (list $pod) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* What is wrong with the values, beyond what values.schema.json can say. */ -}}
{{- define "ssec-proxy.validate" -}}
{{- $problems := list -}}
{{- range $field := list "upstream" "rules" -}}
{{- if not (index $.Values.config $field) -}}
{{- $problems = append $problems (printf "config.%s: is missing (docs/configuration.md)" $field) -}}
{{- end -}}
{{- end -}}
{{- if not .Values.config.identities -}}
{{- if ne .Values.mode "sidecar" -}}
{{- $problems = append $problems "config.identities: is missing: nobody could use the proxy" -}}
{{- else if not .Values.secrets.existingSecret -}}
{{- $problems = append $problems "secrets.existingSecret: name the Secret with access-key-id and secret-access-key, or write config.identities" -}}
{{- end -}}
{{- end -}}
{{- if has (dig "admin" "host" "" .Values.config) (list "127.0.0.1" "::1" "localhost") -}}
{{- $problems = append $problems "config.admin.host: Kubernetes' probes come from outside of the pod: leave it out, or say 0.0.0.0" -}}
{{- end -}}
{{- $https := false -}}
{{- range $listener := (include "ssec-proxy.config" . | fromYaml).listeners -}}
{{- if hasKey $listener "https" -}}{{- $https = true -}}{{- end -}}
{{- end -}}
{{- if and $https (not (include "ssec-proxy.tlsSecret" .)) -}}
{{- $problems = append $problems "tls.existingSecret: name the Secret of the listener's certificate, or enable tls.certManager" -}}
{{- end -}}
{{- if and .Values.tls.certManager.enabled (not .Values.tls.certManager.issuerRef.name) -}}
{{- $problems = append $problems "tls.certManager.issuerRef.name: is missing" -}}
{{- end -}}
{{- if and .Values.config.keyrings (not .Values.keyrings.existingSecret) -}}
{{- $problems = append $problems "keyrings.existingSecret: name the Secret with the keyring files" -}}
{{- end -}}
{{- if .Values.terminationGracePeriodSeconds -}}
{{- $least := add .Values.preStopSeconds (include "ssec-proxy.seconds" (dig "timeouts" "drain" "30s" .Values.config)) -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $least) -}}
{{- $problems = append $problems (printf "terminationGracePeriodSeconds: is less than preStopSeconds and config.timeouts.drain together (%d), so running uploads would be killed; 0 fits them" (int $least)) -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\n%s\n" (join "\n" $problems)) -}}
{{- end -}}
{{- end -}}

{{- /* The duration of the configuration (`5m`) in seconds, rounded up. */ -}}
{{- define "ssec-proxy.seconds" -}}
{{- $number := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- if eq $unit "ms" -}}{{- div (add $number 999) 1000 -}}
{{- else if eq $unit "s" -}}{{- $number -}}
{{- else if eq $unit "m" -}}{{- mul $number 60 -}}
{{- else if eq $unit "h" -}}{{- mul $number 3600 -}}
{{- else -}}{{- fail (printf "config.timeouts.drain: %s is no duration: a whole number with ms, s, m or h" .) -}}
{{- end -}}
{{- end -}}

{{- define "ssec-proxy.gracePeriod" -}}
{{- if .Values.terminationGracePeriodSeconds -}}
{{- .Values.terminationGracePeriodSeconds -}}
{{- else -}}
{{- $drain := dig "timeouts" "drain" "30s" .Values.config -}}
{{- add (include "ssec-proxy.seconds" $drain | int64) .Values.preStopSeconds 10 -}}
{{- end -}}
{{- end -}}

{{- /* The port of the upstream. */ -}}
{{- define "ssec-proxy.upstreamPort" -}}
{{- default "443" (regexFind "[0-9]+$" (regexFind ":[0-9]+$" (dig "upstream" "endpoint" "" .Values.config))) -}}
{{- end -}}

{{- /* Ports of the listeners that are reachable from outside of the pod, a list in JSON. */ -}}
{{- define "ssec-proxy.listenerPorts" -}}
{{- $ports := list -}}
{{- range (include "ssec-proxy.config" . | fromYaml).listeners -}}
{{- if hasKey . "https" -}}{{- $ports = append $ports (int .https.port) -}}{{- end -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}
