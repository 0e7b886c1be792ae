"""What a cluster does around Tekton: scheduling, kubelets, images, memory, logs, eviction."""
