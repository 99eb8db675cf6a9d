/* What the choices of cluster.yaml (identity, runtime, cni, …) make of units: values of builder
 * facts. Flags stand on lines of their own; those behind others begin with a line end. */
#ifndef NB_BUILDER_FACTS_CHOICES_H
#define NB_BUILDER_FACTS_CHOICES_H

#include "builder/plan/plan.h"
#include "common/buffer.h"

/* Appends the fact's value. */
typedef void fact_value(const struct plan_input *in, struct buffer *out);

fact_value fact_runtime_unit;    /* what the kubelet needs: containerd.service */
fact_value fact_kubelet_runtime; /* a line of the kubelet's configuration, or nothing */
fact_value fact_kubelet_runtime_flags;
fact_value fact_kubelet_choices;  /* labels, cloud provider; may hold facts of the node */
fact_value fact_api_node_name;    /* a fact of the node: what its Node object is called */
fact_value fact_proxy_node_name;  /* a line of kube-proxy's configuration with it, or nothing */
fact_value fact_api_server_flags; /* front proxy, bootstrap tokens */
fact_value fact_controller_flags; /* pod networks, cloud provider, bootstrap tokens */
fact_value fact_cni_template;     /* a line of containerd's configuration, or nothing */
fact_value fact_docker_mirrors;   /* a line of docker's configuration, or nothing */
fact_value fact_api_names;        /* a line each: what no node may be called */

#endif
