-- Sessions of one state
--
-- psql reads the parameter from a variable (asenv) and quotes it itself: :'state'.
{{ .state | default "active" | description "which sessions" | options "active" "idle" | asenv "STATE" }}
\getenv state STATE
select pid, usename, state
from pg_stat_activity
where state = :'state'
order by pid
limit {{ .limit | default "10" | type "number" | pattern "^[0-9]{1,4}$" }};
