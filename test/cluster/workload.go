package cluster

import (
	"context"
	"errors"
	"fmt"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod is a bare pod of one container called "app", labelled app=NAME. It ends at once when it is deleted.
func Pod(namespace, name, image string) *v1.Pod {
	grace := int64(0)
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec: v1.PodSpec{
			TerminationGracePeriodSeconds: &grace,
			Containers:                    []v1.Container{{Name: "app", Image: image}},
		},
	}
}

// MakePod creates a pod, and before it the namespace with its default service account.
func (l *Lab) MakePod(ctx context.Context, pod *v1.Pod) error {
	if err := l.MakeNamespace(ctx, pod.Namespace); err != nil {
		return err
	}
	_, err := l.client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	return err
}

// MakeNamespace makes sure that a namespace is there and that pods can be created in it. One that is on its way out is
// waited for and made anew.
func (l *Lab) MakeNamespace(ctx context.Context, name string) error {
	namespaces := l.client.CoreV1().Namespaces()
	err := l.wait(ctx, "namespace "+name, func(ctx context.Context) error {
		ns, err := namespaces.Get(ctx, name, getOptions)
		if apierrors.IsNotFound(err) {
			_, err = namespaces.Create(ctx, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		} else if err == nil && ns.DeletionTimestamp != nil {
			err = errors.New("it is being deleted")
		}
		return err
	})
	if err != nil {
		return err
	}
	return l.wait(ctx, "the service account of "+name, func(ctx context.Context) error {
		_, err := l.client.CoreV1().ServiceAccounts(name).Get(ctx, "default", getOptions)
		return err
	})
}

// DropNamespace ends every pod of a namespace, waits for that, and has the rest deleted, which the namespace controller
// starts only after five seconds. A namespace that is not there is no error.
func (l *Lab) DropNamespace(ctx context.Context, name string) error {
	// The namespace goes first, so that no controller makes its pods anew.
	err := l.client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.dropPods(ctx, name)
}

func (l *Lab) dropPods(ctx context.Context, namespace string) error {
	grace := int64(0)
	pods := l.client.CoreV1().Pods(namespace)
	err := pods.DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &grace}, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return l.wait(ctx, "the pods of "+namespace+" to go", func(ctx context.Context) error {
		list, err := pods.List(ctx, metav1.ListOptions{})
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("%d are still there", len(list.Items))
		}
		return err
	})
}
