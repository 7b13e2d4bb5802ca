package cluster

import (
	"context"
	"errors"

	admission "k8s.io/api/admissionregistration/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// admissionCases lists the cases that the API server itself refuses.
func admissionCases() []Case {
	s := scene{namespace: "partners", app: "onboarding", image: "hub.lab/acme/onboarding:1.0", owner: deployment}
	c := s.of(Case{Name: "registry-blocked", Cause: "policy.registry-blocked", NoPods: true,
		About: "an admission policy lets no image of this registry into the namespace"})
	c.Break = func(ctx context.Context, l *Lab) error {
		if err := l.MakeNamespace(ctx, s.namespace); err != nil {
			return err
		}
		if err := l.admitOnlyFrom(ctx, s.namespace, "open.lab/"); err != nil {
			return err
		}
		// A policy acts only once the API server has seen it; until then the pods would be made after all.
		err := l.wait(ctx, "the policy to act", func(ctx context.Context) error {
			_, err := l.client.CoreV1().Pods(s.namespace).Create(ctx, s.pod(l), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) {
				return nil
			}
			return errors.Join(errors.New("the API server still takes the pod"), err)
		})
		if err != nil {
			return err
		}
		return s.start(ctx, l, c.Name)
	}
	c.Heal = func(ctx context.Context, l *Lab) error {
		return errors.Join(l.dropPolicy(ctx), s.end(ctx, l, c.Name))
	}
	return []Case{c}
}

// imagePolicy is the name of the policy and of its binding.
const imagePolicy = "image-sources.platform.example"

// admitOnlyFrom makes a policy for one namespace that refuses pods with images from elsewhere.
func (l *Lab) admitOnlyFrom(ctx context.Context, namespace, prefix string) error {
	here := &admission.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{v1.LabelMetadataName: namespace}},
		ResourceRules: []admission.NamedRuleWithOperations{{RuleWithOperations: admission.RuleWithOperations{
			Operations: []admission.OperationType{admission.Create, admission.Update},
			Rule:       admission.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
		}}}}
	policy := &admission.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: imagePolicy},
		Spec: admission.ValidatingAdmissionPolicySpec{MatchConstraints: here, Validations: []admission.Validation{{
			Expression:        "object.spec.containers.all(c, c.image.startsWith('" + prefix + "'))",
			MessageExpression: "'images must come from " + prefix + "; not allowed: ' + object.spec.containers.map(c, c.image).join(', ')",
		}}}}
	binding := &admission.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: imagePolicy},
		Spec: admission.ValidatingAdmissionPolicyBindingSpec{PolicyName: imagePolicy,
			ValidationActions: []admission.ValidationAction{admission.Deny}}}
	api := l.client.AdmissionregistrationV1()
	if _, err := api.ValidatingAdmissionPolicies().Create(ctx, policy, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, err := api.ValidatingAdmissionPolicyBindings().Create(ctx, binding, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func (l *Lab) dropPolicy(ctx context.Context) error {
	api := l.client.AdmissionregistrationV1()
	for _, err := range []error{
		api.ValidatingAdmissionPolicyBindings().Delete(ctx, imagePolicy, metav1.DeleteOptions{}),
		api.ValidatingAdmissionPolicies().Delete(ctx, imagePolicy, metav1.DeleteOptions{}),
	} {
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
