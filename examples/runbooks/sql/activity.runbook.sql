-- Sessions of one state. The pattern keeps the value from ending the quotes.
select pid, usename, state
from pg_stat_activity
where state = {{ .state | default "active" | description "which sessions" | options "active" "idle" | pattern "^[a-z ]+$" | squote }}
order by pid
limit {{ .limit | default "10" | type "number" | pattern "^[0-9]{1,4}$" }};
