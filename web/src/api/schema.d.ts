// Made by test/web/api/schema.test.ts.
export interface paths {
    "/api/publicserverinfo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How one signs in
         * @description For anybody, without a token.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            auth_method: string;
                            setup_required: boolean;
                            sign_in?: string[];
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/userinfo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who asks
         * @description For users.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            name: string;
                            email: string;
                            /** @enum {unknown} */
                            status: "active";
                            verified: boolean;
                            /** @enum {string} */
                            role: "admin" | "auditor" | "standard";
                            /** @enum {string} */
                            kind: "person" | "machine";
                            groups: string[];
                            slack_id: string;
                            picture: string;
                            is_admin: boolean;
                            is_multitenant: boolean;
                            tenancy_type: string;
                            org_id: string;
                            org_name: string;
                            org_license: string;
                            /** @enum {unknown} */
                            feature_ask_ai: "unavailable";
                            /** @enum {unknown} */
                            webapp_users_management: "on";
                            intercom_hmac_digest: string;
                            /** @enum {unknown} */
                            default_protection_profile: null;
                            /** @enum {unknown} */
                            show_origin_survey: false;
                            /** @enum {unknown} */
                            show_setup_checklist: false;
                            token: {
                                id: string;
                                name: string;
                                /** @enum {string} */
                                kind: "personal" | "sign-in";
                                expires_at: string | null;
                            };
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the connections that the caller may see
         * @description With `page` or `page_size` the answer is `{"pages":{"total","page","size"},"data":[...]}`. For users (of connections that one may see).
         */
        get: {
            parameters: {
                query?: {
                    /** @description only connections with these tags: env=prod,region!=eu */
                    tag_selector?: string;
                    /** @description only connections with this text in name, type, subtype, resource or status */
                    search?: string;
                    /** @description only connections with this text in the name */
                    name?: string;
                    /** @description only connections of this type */
                    type?: string;
                    /** @description only connections of this subtype */
                    subtype?: string;
                    /** @description only connections of this agent */
                    agent_id?: string;
                    /** @description only connections of this resource, which is the connection itself */
                    resource_name?: string;
                    /** @description only these connections, separated by commas */
                    connection_ids?: string;
                    /** @description only connections with this attribute: none has one */
                    attribute?: string;
                    /** @description only connections managed by this program: none is */
                    managed_by?: string;
                    /** @description only connections with one of the tags of older versions of hoop: none has one */
                    tags?: string;
                    /** @description number of the page, from 1 */
                    page?: string;
                    /** @description from 1 to 100, 50 unless given */
                    page_size?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            name: string;
                            resource_name: string;
                            type: string;
                            subtype: string;
                            command: unknown[];
                            secret: Record<string, never>;
                            /** @enum {unknown} */
                            default_database: "";
                            /** @enum {string} */
                            status: "online" | "offline";
                            agent_id: string;
                            /** @enum {unknown} */
                            managed_by: null;
                            tags: unknown[];
                            connection_tags: {
                                [key: string]: string;
                            };
                            attributes: unknown[];
                            mandatory_metadata_fields: unknown[];
                            reviewers: string[];
                            min_review_approvals: number | null;
                            force_approve_groups: string[] | null;
                            /** @description seconds */
                            access_max_duration: number | null;
                            /** @enum {unknown} */
                            redact_enabled: false;
                            redact_types: unknown[];
                            guardrail_rules: string[];
                            /** @enum {string} */
                            access_mode_runbooks: "enabled" | "disabled";
                            /** @enum {string} */
                            access_mode_exec: "enabled" | "disabled";
                            /** @enum {string} */
                            access_mode_connect: "enabled" | "disabled";
                            access_mode_connect_reason: string;
                            /** @enum {string} */
                            access_schema: "enabled" | "disabled";
                            jira_issue_template_id: string;
                        }[] | {
                            pages: {
                                total: number;
                                page: number;
                                size: number;
                            };
                            data: {
                                id: string;
                                name: string;
                                resource_name: string;
                                type: string;
                                subtype: string;
                                command: unknown[];
                                secret: Record<string, never>;
                                /** @enum {unknown} */
                                default_database: "";
                                /** @enum {string} */
                                status: "online" | "offline";
                                agent_id: string;
                                /** @enum {unknown} */
                                managed_by: null;
                                tags: unknown[];
                                connection_tags: {
                                    [key: string]: string;
                                };
                                attributes: unknown[];
                                mandatory_metadata_fields: unknown[];
                                reviewers: string[];
                                min_review_approvals: number | null;
                                force_approve_groups: string[] | null;
                                /** @description seconds */
                                access_max_duration: number | null;
                                /** @enum {unknown} */
                                redact_enabled: false;
                                redact_types: unknown[];
                                guardrail_rules: string[];
                                /** @enum {string} */
                                access_mode_runbooks: "enabled" | "disabled";
                                /** @enum {string} */
                                access_mode_exec: "enabled" | "disabled";
                                /** @enum {string} */
                                access_mode_connect: "enabled" | "disabled";
                                access_mode_connect_reason: string;
                                /** @enum {string} */
                                access_schema: "enabled" | "disabled";
                                jira_issue_template_id: string;
                            }[];
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the agents of these connections, for admins all, and whether they are connected
         * @description For users (of connections that one may see).
         */
        get: {
            parameters: {
                query?: {
                    /** @description CONNECTED or DISCONNECTED */
                    status?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            name: string;
                            /** @enum {unknown} */
                            token: "";
                            /** @enum {unknown} */
                            mode: "standard";
                            /** @enum {string} */
                            status: "CONNECTED" | "DISCONNECTED";
                            metadata: {
                                [key: string]: string;
                            };
                            hostname: string;
                            machine_id: string;
                            kernel_version: string;
                            version: string;
                            goversion: string;
                            compiler: string;
                            platform: string;
                            last_contact: string | null;
                        }[];
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runbooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists runbooks and their parameters, by repository
         * @description For users (of connections that one may see).
         */
        get: {
            parameters: {
                query?: {
                    /** @description only those of this connection */
                    connection_name?: string;
                    /** @description the same, by its old name */
                    connection?: string;
                    /** @description true: with the connections that may run each */
                    list_connections?: string;
                    /** @description false: for admins, also those that no connection runs */
                    remove_empty_connections?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            errors: string[];
                            repositories: {
                                repository: string;
                                commit: string;
                                commit_author: string;
                                commit_message: string;
                                items: {
                                    name: string;
                                    metadata: {
                                        [key: string]: {
                                            [key: string]: unknown;
                                        };
                                    };
                                    error: string | null;
                                    used_names?: string[];
                                    /** @description first line of the leading comment of the file */
                                    title?: string;
                                    /** @description the other lines of the leading comment */
                                    description?: string;
                                    connections?: string[];
                                }[];
                            }[];
                            items?: {
                                name: string;
                                metadata: {
                                    [key: string]: {
                                        [key: string]: unknown;
                                    };
                                };
                                error: string | null;
                                used_names?: string[];
                                /** @description first line of the leading comment of the file */
                                title?: string;
                                /** @description the other lines of the leading comment */
                                description?: string;
                                connections?: string[];
                            }[];
                            commit?: string;
                            commit_author?: string;
                            commit_message?: string;
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists sessions, the newest first
         * @description For users (one's own, and those that one's groups review; auditors and admins: all).
         */
        get: {
            parameters: {
                query?: {
                    /** @description of this user, an SQL LIKE pattern */
                    user?: string;
                    /** @description on this connection, an SQL LIKE pattern */
                    connection?: string;
                    /** @description on connections of this type, an SQL LIKE pattern */
                    type?: string;
                    /** @description of this batch */
                    batch_id?: string;
                    /** @description with this correlation id */
                    correlation_id?: string;
                    /** @description with a review in this state; empty: without one */
                    "review.status"?: string;
                    /** @description with one of these issues, separated by commas */
                    jira_issue_key?: string;
                    /** @description with a review of one of the groups of this user */
                    "review.approver"?: string;
                    /** @description that began then or later, RFC 3339 */
                    start_date?: string;
                    /** @description that began then or before, RFC 3339 */
                    end_date?: string;
                    /** @description how many, 20 unless given, 100 at most */
                    limit?: string;
                    /** @description how many are skipped, 10,000 at most */
                    offset?: string;
                    /** @description capped (unless given) at 10,000, exact, or none */
                    count?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                id: string;
                                org_id: string;
                                user: string;
                                user_id: string;
                                user_name: string;
                                /** @enum {unknown} */
                                identity_type: "user";
                                connection: string;
                                role_name: string;
                                resource_name: string;
                                connection_tags: {
                                    [key: string]: string;
                                } | null;
                                type: string;
                                connection_subtype: string;
                                review: {
                                    id: string;
                                    /** @enum {string} */
                                    type: "onetime" | "jit";
                                    access_duration: number;
                                    /** @enum {string} */
                                    status: "PENDING" | "APPROVED" | "REJECTED" | "REVOKED" | "PROCESSING" | "EXECUTED";
                                    revoke_at: string | null;
                                    created_at: string;
                                    review_groups_data: {
                                        id: string;
                                        group: string;
                                        /** @enum {string} */
                                        status: "PENDING" | "APPROVED" | "REJECTED" | "REVOKED";
                                        reviewed_by: {
                                            id: string;
                                            name: string;
                                            email: string;
                                            slack_id: string;
                                        } | null;
                                        review_date: string | null;
                                        forced_review: boolean;
                                    }[];
                                    time_window: {
                                        /** @enum {unknown} */
                                        type: "time_range";
                                        configuration: {
                                            start_time: string;
                                            end_time: string;
                                        };
                                    } | null;
                                    access_request_rule_name: string | null;
                                    min_approvals: number;
                                    force_approval_groups: string[];
                                    rejection_reason?: string;
                                    connection: string;
                                    owner: string;
                                    expires_at: string;
                                    script_sha256?: string;
                                    script_hmac_sha256?: string;
                                    client_args: string[];
                                    env_vars: string[];
                                    needs?: {
                                        groups: string[];
                                        minimum: number;
                                    }[];
                                    batch?: {
                                        id: string;
                                        waves: string[][];
                                        parallel: number;
                                        threshold: number;
                                    };
                                } | null;
                                verb: string;
                                origin: string;
                                labels: {
                                    [key: string]: string;
                                } | null;
                                metadata: {
                                    [key: string]: unknown;
                                } | null;
                                session_batch_id?: string;
                                correlation_id?: string;
                                /** @enum {string} */
                                status: "open" | "ready" | "done";
                                state: {
                                    /** @enum {string} */
                                    name: "waiting-for-approval" | "approved" | "waiting-for-lock" | "running" | "succeeded" | "failed" | "stopped" | "closed" | "timed-out" | "limit-reached" | "blocked" | "refused" | "rejected" | "revoked" | "withdrawn" | "expired" | "lock-busy" | "agent-offline" | "agent-silent" | "agent-lost" | "agent-stopped" | "gateway-stopped" | "gateway-lost";
                                    text: string;
                                    by: string | null;
                                    lock: string | null;
                                    since: string | null;
                                };
                                exit_code: number | null;
                                start_date: string;
                                end_date: string | null;
                                event_size: number;
                                truncated_bytes: number;
                                redacted_bytes: number;
                                integrations_metadata: {
                                    jira_issue_key: string;
                                    jira_issue_url: string;
                                } | null;
                                jira_transition: {
                                    /** @enum {string} */
                                    status: "pending" | "done" | "skipped" | "given-up";
                                    attempts: number;
                                    error: string | null;
                                } | null;
                                guardrails_info: {
                                    [key: string]: unknown;
                                }[] | null;
                                /** @enum {unknown} */
                                ai_analysis: null;
                                script_size: number | null;
                                metrics: {
                                    data_masking: {
                                        err_count: number;
                                        info_types: {
                                            [key: string]: number;
                                        };
                                        total_redact_count: number;
                                        transformed_bytes: number;
                                    };
                                    event_size: number;
                                    truncated: boolean;
                                } | null;
                                /** @enum {unknown} */
                                script: null;
                            }[];
                            total: number | null;
                            total_is_capped: boolean;
                            has_next_page: boolean;
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Runs a script on a connection
         * @description 200 when it has ended, whatever its exit code; 202 when it goes on after `limits.wait`. For users, but no auditors: they only read (of connections that one may see).
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @default {} */
                        env_vars?: {
                            [key: string]: string | null;
                        } | null;
                        /** @default [] */
                        client_args?: (string | null)[] | null;
                        /** @default {} */
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        /** @default {} */
                        jira_fields?: {
                            [key: string]: string | null;
                        } | null;
                        session_batch_id?: string | null;
                        correlation_id?: string | null;
                        connection: string;
                        /** @default  */
                        script?: string | null;
                        /** @default {} */
                        labels?: {
                            [key: string]: string | null;
                        } | null;
                    };
                };
            };
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            has_review: boolean;
                            /** Format: uuid */
                            session_id: string;
                            output: string;
                            /** @enum {string} */
                            output_status: "success" | "failed" | "running" | "blocked";
                            truncated: boolean;
                            execution_time: number;
                            exit_code: number;
                            /** @enum {unknown} */
                            ai_analysis: null;
                            jira_issue_key?: string;
                            jira_issue_url?: string;
                            redacted_bytes?: number;
                            warning?: string;
                            /** @enum {string} */
                            code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                            waits_for?: {
                                lock: string;
                                session_id: string | null;
                                user: string | null;
                                since: string | null;
                                ahead: number;
                            };
                        };
                    };
                };
                /** @description Accepted */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            has_review: boolean;
                            /** Format: uuid */
                            session_id: string;
                            output: string;
                            /** @enum {string} */
                            output_status: "success" | "failed" | "running" | "blocked";
                            truncated: boolean;
                            execution_time: number;
                            exit_code: number;
                            /** @enum {unknown} */
                            ai_analysis: null;
                            jira_issue_key?: string;
                            jira_issue_url?: string;
                            redacted_bytes?: number;
                            warning?: string;
                            /** @enum {string} */
                            code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                            waits_for?: {
                                lock: string;
                                session_id: string | null;
                                user: string | null;
                                since: string | null;
                                ahead: number;
                            };
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Payload Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/reviews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists one's own reviews and those of one's groups, the newest first
         * @description For users (one's own, and those that one's groups review; auditors and admins: all).
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            type: "onetime" | "jit";
                            access_duration: number;
                            /** @enum {string} */
                            status: "PENDING" | "APPROVED" | "REJECTED" | "REVOKED" | "PROCESSING" | "EXECUTED";
                            revoke_at: string | null;
                            created_at: string;
                            review_groups_data: {
                                id: string;
                                group: string;
                                /** @enum {string} */
                                status: "PENDING" | "APPROVED" | "REJECTED" | "REVOKED";
                                reviewed_by: {
                                    id: string;
                                    name: string;
                                    email: string;
                                    slack_id: string;
                                } | null;
                                review_date: string | null;
                                forced_review: boolean;
                            }[];
                            time_window: {
                                /** @enum {unknown} */
                                type: "time_range";
                                configuration: {
                                    start_time: string;
                                    end_time: string;
                                };
                            } | null;
                            access_request_rule_name: string | null;
                            min_approvals: number;
                            force_approval_groups: string[];
                            rejection_reason?: string;
                            connection: string;
                            owner: string;
                            expires_at: string;
                            script_sha256?: string;
                            script_hmac_sha256?: string;
                            client_args: string[];
                            env_vars: string[];
                            needs?: {
                                groups: string[];
                                minimum: number;
                            }[];
                            batch?: {
                                id: string;
                                waves: string[][];
                                parallel: number;
                                threshold: number;
                            };
                            session: string;
                        }[];
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/integrations/jira/issuetemplates/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows one kind of issues
         * @description For users (of connections that one may see).
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            name: string;
                            description: string;
                            project_key: string;
                            request_type_id: string;
                            issue_transition_name_on_close: string;
                            skip_transition_on_nonzero_exit_code: boolean;
                            mapping_types: {
                                items: {
                                    description: string;
                                    jira_field: string;
                                    /** @enum {string} */
                                    type: "preset" | "custom";
                                    value: string;
                                }[];
                            };
                            prompt_types: {
                                items: {
                                    description: string;
                                    jira_field: string;
                                    label: string;
                                    field_type: string;
                                    required: boolean;
                                }[];
                            };
                            cmdb_types: {
                                items: {
                                    description: string;
                                    jira_field: string;
                                    label: string;
                                    jira_object_schema_id: string;
                                    jira_object_type: string;
                                    required: boolean;
                                    value: string;
                                }[];
                            };
                            connection_ids: string[];
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists schedules with their next and last runs
         * @description For users (of connections that one may see; auditors and admins: all).
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            name: string;
                            cron: string;
                            timezone: string;
                            connection: string;
                            runbook: string;
                            as: string;
                            enabled: boolean;
                            parameters: string[];
                            /** @enum {string} */
                            catch_up: "none" | "once";
                            lock: string | null;
                            next_run: string | null;
                            paused_at: string | null;
                            paused_by: string | null;
                            problem: string | null;
                            last_run: {
                                id: string;
                                due_at: string | null;
                                at: string;
                                by: string | null;
                                /** @enum {string} */
                                status: "starting" | "waiting" | "approved" | "running" | "success" | "failed" | "skipped";
                                code: string | null;
                                reason: string | null;
                                session_id: string | null;
                                exit_code: number | null;
                            } | null;
                        }[];
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schedules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows a schedule and its last hundred runs, also why one was skipped
         * @description For users (of connections that one may see; auditors and admins: all).
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            name: string;
                            cron: string;
                            timezone: string;
                            connection: string;
                            runbook: string;
                            as: string;
                            enabled: boolean;
                            parameters: string[];
                            /** @enum {string} */
                            catch_up: "none" | "once";
                            lock: string | null;
                            next_run: string | null;
                            paused_at: string | null;
                            paused_by: string | null;
                            problem: string | null;
                            last_run: {
                                id: string;
                                due_at: string | null;
                                at: string;
                                by: string | null;
                                /** @enum {string} */
                                status: "starting" | "waiting" | "approved" | "running" | "success" | "failed" | "skipped";
                                code: string | null;
                                reason: string | null;
                                session_id: string | null;
                                exit_code: number | null;
                            } | null;
                            runs: {
                                id: string;
                                due_at: string | null;
                                at: string;
                                by: string | null;
                                /** @enum {string} */
                                status: "starting" | "waiting" | "approved" | "running" | "success" | "failed" | "skipped";
                                code: string | null;
                                reason: string | null;
                                session_id: string | null;
                                exit_code: number | null;
                            }[];
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schedules/{name}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs a schedule now: answers when its session has begun, or could not
         * @description For users, but no auditors: they only read (one's own; admins: all).
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            due_at: string | null;
                            at: string;
                            by: string | null;
                            /** @enum {string} */
                            status: "starting" | "waiting" | "approved" | "running" | "success" | "failed" | "skipped";
                            code: string | null;
                            reason: string | null;
                            session_id: string | null;
                            exit_code: number | null;
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Conflict */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists one's own batches and those that one's groups review, the newest 50 first
         * @description For users (one's own, and those that one's groups review; auditors and admins: all).
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            status: "waiting" | "running" | "done" | "stopped";
                            owner: string;
                            created_at: string;
                            started_at: string | null;
                            ended_at: string | null;
                            repository: string;
                            file_name: string;
                            commit: string;
                            parameters: {
                                [key: string]: string;
                            };
                            metadata: {
                                [key: string]: unknown;
                            };
                            waves: number[];
                            parallel: number;
                            threshold: number;
                            stop: {
                                /** @enum {string} */
                                reason: "threshold" | "user" | "rejected" | "outside-time-window" | "history" | "gateway-stopped";
                                message: string;
                            } | null;
                            review: {
                                id: string;
                                session_id: string;
                                state: {
                                    /** @enum {string} */
                                    name: "waiting-for-approval" | "approved" | "waiting-for-lock" | "running" | "succeeded" | "failed" | "stopped" | "closed" | "timed-out" | "limit-reached" | "blocked" | "refused" | "rejected" | "revoked" | "withdrawn" | "expired" | "lock-busy" | "agent-offline" | "agent-silent" | "agent-lost" | "agent-stopped" | "gateway-stopped" | "gateway-lost";
                                    text: string;
                                    by: string | null;
                                    lock: string | null;
                                    since: string | null;
                                } | null;
                            } | null;
                            counts: {
                                total: number;
                                succeeded: number;
                                failed: number;
                                running: number;
                                not_begun: number;
                            };
                            warning?: string;
                        }[];
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Runs a runbook on several connections, wave by wave
         * @description Begins, or waits for approval where a connection needs one, and answers at once. `connections` are names; with `tags` each of them has to have these, and without names it is all that have them. For users, but no auditors: they only read (of connections that one may see).
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @default {} */
                        env_vars?: {
                            [key: string]: string | null;
                        } | null;
                        /** @default [] */
                        client_args?: (string | null)[] | null;
                        /** @default {} */
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        /** @default {} */
                        jira_fields?: {
                            [key: string]: string | null;
                        } | null;
                        session_batch_id?: string | null;
                        correlation_id?: string | null;
                        file_name: string;
                        /** @default  */
                        ref_hash?: string | null;
                        /** @default {} */
                        parameters?: {
                            [key: string]: string | null;
                        } | null;
                        repository?: string | null;
                        /** @default [] */
                        connections?: string[] | null;
                        /** @default {} */
                        tags?: {
                            [key: string]: string | null;
                        } | null;
                        waves?: (string | (string | number)[]) | null;
                        parallel?: number | null;
                        stop_after?: (string | number) | null;
                    };
                };
            };
            responses: {
                /** @description Created */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            status: "waiting" | "running" | "done" | "stopped";
                            owner: string;
                            created_at: string;
                            started_at: string | null;
                            ended_at: string | null;
                            repository: string;
                            file_name: string;
                            commit: string;
                            parameters: {
                                [key: string]: string;
                            };
                            metadata: {
                                [key: string]: unknown;
                            };
                            waves: number[];
                            parallel: number;
                            threshold: number;
                            stop: {
                                /** @enum {string} */
                                reason: "threshold" | "user" | "rejected" | "outside-time-window" | "history" | "gateway-stopped";
                                message: string;
                            } | null;
                            review: {
                                id: string;
                                session_id: string;
                                state: {
                                    /** @enum {string} */
                                    name: "waiting-for-approval" | "approved" | "waiting-for-lock" | "running" | "succeeded" | "failed" | "stopped" | "closed" | "timed-out" | "limit-reached" | "blocked" | "refused" | "rejected" | "revoked" | "withdrawn" | "expired" | "lock-busy" | "agent-offline" | "agent-silent" | "agent-lost" | "agent-stopped" | "gateway-stopped" | "gateway-lost";
                                    text: string;
                                    by: string | null;
                                    lock: string | null;
                                    since: string | null;
                                } | null;
                            } | null;
                            counts: {
                                total: number;
                                succeeded: number;
                                failed: number;
                                running: number;
                                not_begun: number;
                            };
                            warning?: string;
                            runs: {
                                connection: string;
                                wave: number;
                                /** @enum {string} */
                                status: "not-begun" | "running" | "succeeded" | "failed" | "unknown";
                                state: {
                                    /** @enum {string} */
                                    name: "waiting-for-approval" | "approved" | "waiting-for-lock" | "running" | "succeeded" | "failed" | "stopped" | "closed" | "timed-out" | "limit-reached" | "blocked" | "refused" | "rejected" | "revoked" | "withdrawn" | "expired" | "lock-busy" | "agent-offline" | "agent-silent" | "agent-lost" | "agent-stopped" | "gateway-stopped" | "gateway-lost";
                                    text: string;
                                    by: string | null;
                                    lock: string | null;
                                    since: string | null;
                                } | null;
                                session_id: string | null;
                                exit_code: number | null;
                                started_at: string | null;
                                ended_at: string | null;
                                /** @enum {string} */
                                code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                                message?: string;
                            }[];
                            groups: {
                                exit_code: number | null;
                                /** @enum {string} */
                                code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                                count: number;
                                connections: string[];
                            }[];
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Payload Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows a batch, its runs, and which of them have ended alike
         * @description For users (one's own, and those that one's groups review; auditors and admins: all).
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            status: "waiting" | "running" | "done" | "stopped";
                            owner: string;
                            created_at: string;
                            started_at: string | null;
                            ended_at: string | null;
                            repository: string;
                            file_name: string;
                            commit: string;
                            parameters: {
                                [key: string]: string;
                            };
                            metadata: {
                                [key: string]: unknown;
                            };
                            waves: number[];
                            parallel: number;
                            threshold: number;
                            stop: {
                                /** @enum {string} */
                                reason: "threshold" | "user" | "rejected" | "outside-time-window" | "history" | "gateway-stopped";
                                message: string;
                            } | null;
                            review: {
                                id: string;
                                session_id: string;
                                state: {
                                    /** @enum {string} */
                                    name: "waiting-for-approval" | "approved" | "waiting-for-lock" | "running" | "succeeded" | "failed" | "stopped" | "closed" | "timed-out" | "limit-reached" | "blocked" | "refused" | "rejected" | "revoked" | "withdrawn" | "expired" | "lock-busy" | "agent-offline" | "agent-silent" | "agent-lost" | "agent-stopped" | "gateway-stopped" | "gateway-lost";
                                    text: string;
                                    by: string | null;
                                    lock: string | null;
                                    since: string | null;
                                } | null;
                            } | null;
                            counts: {
                                total: number;
                                succeeded: number;
                                failed: number;
                                running: number;
                                not_begun: number;
                            };
                            warning?: string;
                            runs: {
                                connection: string;
                                wave: number;
                                /** @enum {string} */
                                status: "not-begun" | "running" | "succeeded" | "failed" | "unknown";
                                state: {
                                    /** @enum {string} */
                                    name: "waiting-for-approval" | "approved" | "waiting-for-lock" | "running" | "succeeded" | "failed" | "stopped" | "closed" | "timed-out" | "limit-reached" | "blocked" | "refused" | "rejected" | "revoked" | "withdrawn" | "expired" | "lock-busy" | "agent-offline" | "agent-silent" | "agent-lost" | "agent-stopped" | "gateway-stopped" | "gateway-lost";
                                    text: string;
                                    by: string | null;
                                    lock: string | null;
                                    since: string | null;
                                } | null;
                                session_id: string | null;
                                exit_code: number | null;
                                started_at: string | null;
                                ended_at: string | null;
                                /** @enum {string} */
                                code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                                message?: string;
                            }[];
                            groups: {
                                exit_code: number | null;
                                /** @enum {string} */
                                code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                                count: number;
                                connections: string[];
                            }[];
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/batches/{id}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the runs that have ended differ from what most of them have written
         * @description For users (one's own; auditors and admins: all).
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            same: number;
                            differ: number;
                            usual: {
                                exit_code: number | null;
                                /** @enum {string} */
                                code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                                count: number;
                                connections: string[];
                            } | null;
                            differences: {
                                exit_code: number | null;
                                /** @enum {string} */
                                code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                                count: number;
                                connections: string[];
                                diff: string | null;
                                note: string | null;
                            }[];
                            more_groups: number;
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/page/sign-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Signs a browser in: with a token, or the code of a link
         * @description The sign-in is in a cookie that no script reads. `next`: what the link leads to. For anybody, without a token.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        token?: string;
                        code?: string;
                    };
                };
            };
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            name: string;
                            email: string;
                            /** @enum {unknown} */
                            status: "active";
                            verified: boolean;
                            /** @enum {string} */
                            role: "admin" | "auditor" | "standard";
                            /** @enum {string} */
                            kind: "person" | "machine";
                            groups: string[];
                            slack_id: string;
                            picture: string;
                            is_admin: boolean;
                            is_multitenant: boolean;
                            tenancy_type: string;
                            org_id: string;
                            org_name: string;
                            org_license: string;
                            /** @enum {unknown} */
                            feature_ask_ai: "unavailable";
                            /** @enum {unknown} */
                            webapp_users_management: "on";
                            intercom_hmac_digest: string;
                            /** @enum {unknown} */
                            default_protection_profile: null;
                            /** @enum {unknown} */
                            show_origin_survey: false;
                            /** @enum {unknown} */
                            show_setup_checklist: false;
                            token: {
                                id: string;
                                name: string;
                                /** @enum {string} */
                                kind: "personal" | "sign-in";
                                expires_at: string | null;
                            };
                            next: string | null;
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Gone */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Payload Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runbooks/exec": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs a runbook of a repository on a connection
         * @description 200 when it has ended, whatever its exit code; 202 when it goes on after `limits.wait`. For users, but no auditors: they only read (of connections that one may see).
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @default {} */
                        env_vars?: {
                            [key: string]: string | null;
                        } | null;
                        /** @default [] */
                        client_args?: (string | null)[] | null;
                        /** @default {} */
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        /** @default {} */
                        jira_fields?: {
                            [key: string]: string | null;
                        } | null;
                        session_batch_id?: string | null;
                        correlation_id?: string | null;
                        file_name: string;
                        /** @default  */
                        ref_hash?: string | null;
                        /** @default {} */
                        parameters?: {
                            [key: string]: string | null;
                        } | null;
                        connection_name: string;
                        repository: string;
                    };
                };
            };
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            has_review: boolean;
                            /** Format: uuid */
                            session_id: string;
                            output: string;
                            /** @enum {string} */
                            output_status: "success" | "failed" | "running" | "blocked";
                            truncated: boolean;
                            execution_time: number;
                            exit_code: number;
                            /** @enum {unknown} */
                            ai_analysis: null;
                            jira_issue_key?: string;
                            jira_issue_url?: string;
                            redacted_bytes?: number;
                            warning?: string;
                            /** @enum {string} */
                            code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                            waits_for?: {
                                lock: string;
                                session_id: string | null;
                                user: string | null;
                                since: string | null;
                                ahead: number;
                            };
                        };
                    };
                };
                /** @description Accepted */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            has_review: boolean;
                            /** Format: uuid */
                            session_id: string;
                            output: string;
                            /** @enum {string} */
                            output_status: "success" | "failed" | "running" | "blocked";
                            truncated: boolean;
                            execution_time: number;
                            exit_code: number;
                            /** @enum {unknown} */
                            ai_analysis: null;
                            jira_issue_key?: string;
                            jira_issue_url?: string;
                            redacted_bytes?: number;
                            warning?: string;
                            /** @enum {string} */
                            code?: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                            waits_for?: {
                                lock: string;
                                session_id: string | null;
                                user: string | null;
                                since: string | null;
                                ahead: number;
                            };
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Payload Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runbooks/render": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Shows the script that an execution would send, and runs nothing
         * @description For users (of connections that one may see).
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @default {} */
                        env_vars?: {
                            [key: string]: string | null;
                        } | null;
                        /** @default [] */
                        client_args?: (string | null)[] | null;
                        /** @default {} */
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        /** @default {} */
                        jira_fields?: {
                            [key: string]: string | null;
                        } | null;
                        session_batch_id?: string | null;
                        correlation_id?: string | null;
                        file_name: string;
                        /** @default  */
                        ref_hash?: string | null;
                        /** @default {} */
                        parameters?: {
                            [key: string]: string | null;
                        } | null;
                        connection_name: string;
                        repository?: string | null;
                    };
                };
            };
            responses: {
                /** @description OK */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            repository: string;
                            commit: string;
                            connection: string;
                            script: string;
                            env_vars: string[];
                            client_args: string[];
                            secret_parameters: string[];
                            warning?: string;
                        };
                    };
                };
                /** @description Bad Request */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unauthorized */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Forbidden */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Not Found */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Timeout */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Payload Too Large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unsupported Media Type */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Expectation Failed */
                417: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Unprocessable Entity */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Too Many Requests */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Request Header Fields Too Large */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Internal Server Error */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description Service Unavailable */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Error: {
            message: string;
            /** @enum {string} */
            code: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
            /** @description of downloads alone */
            status?: number;
            /** @description of batches alone */
            refusals?: {
                connection: string;
                /** @enum {string} */
                code: "unauthenticated" | "too-many-failed-sign-ins" | "not-permitted" | "invalid-request" | "too-large" | "too-much-at-once" | "gateway-stopped" | "gateway-draining" | "history-no-room" | "history-failed" | "internal-error" | "connection-not-found" | "client-input-refused" | "not-served" | "too-many-clients" | "opening-timeout" | "client-not-reading" | "client-left" | "agent-offline" | "agent-silent" | "agent-lost" | "session-killed" | "session-expired" | "lock-busy" | "runbooks-not-configured" | "runbook-not-found" | "invalid-runbook" | "invalid-parameters" | "repository-not-found" | "repository-failed" | "rule-not-found" | "review-not-found" | "review-wrong-state" | "not-eligible" | "already-processing" | "outside-time-window" | "access-ended" | "batch-refused" | "batch-not-found" | "batch-wrong-state" | "invalid-jira-fields" | "jira-failed" | "jira-template-not-found" | "schedule-not-found" | "schedule-busy" | "sign-in-refused" | "sign-in-expired" | "sign-in-failed" | "webhook-not-found" | "session-not-found" | "download-expired" | "endpoint-not-found" | "malformed-http" | "request-timeout" | "foreign-page" | "budget-spent" | "token-ended" | "not-yourself" | "user-not-found" | "group-not-found" | "token-not-found" | "name-taken" | "declared-in-settings" | "too-many-tokens" | "not-rotatable" | "invalid-settings" | "agent-not-found" | "plugin-not-found" | "agent-certificate-refused" | "agent-already-connected";
                message: string;
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
