package registrytest

import "net/http"

// Style is how a registry asks who is there, and how it refuses.
type Style string

// The styles.
const (
	// Open asks nobody.
	Open Style = "open"
	// BearerHub is Docker Hub's manner: everybody gets a token, and the
	// manifests of private and of missing repositories answer 401 alike.
	BearerHub Style = "bearer-hub"
	// BearerQuay is Quay's manner: as BearerHub, but the second 401 does not say
	// that the scope was insufficient.
	BearerQuay Style = "bearer-quay"
	// BearerStrict is GHCR's manner: the token endpoint itself answers 401 for
	// private and missing repositories, and 403 to wrong credentials.
	BearerStrict Style = "bearer-strict"
	// BearerForbidding is the Artifact Registry's manner: as BearerStrict, but
	// with 403 to anonymous callers and 401 to wrong credentials.
	BearerForbidding Style = "bearer-forbidding"
	// BasicECR is Amazon ECR's manner: Basic, always, and 404 for what is missing.
	BasicECR Style = "basic-ecr"
	// BearerECR is that of ECR's public gallery: a token for everybody but those
	// who offer an old login.
	BearerECR Style = "bearer-ecr"
	// BearerAzure is ACR's manner: the token endpoint answers 401 to everybody
	// who may not pull, known or not.
	BearerAzure Style = "bearer-azure"
	// BearerHarbor is Harbor's manner: everybody gets a token, and a token that
	// does not suffice is answered with a Basic challenge.
	BearerHarbor Style = "bearer-harbor"
	// BearerGitLab is GitLab's manner: the token endpoint answers 403 for what is
	// private or missing, and 401 to wrong credentials.
	BearerGitLab Style = "bearer-gitlab"
	// BearerArtifactory is Artifactory's manner: its errors carry a status in
	// place of a code, and a missing repository reads like a missing tag.
	BearerArtifactory Style = "bearer-artifactory"
	// BasicNexus is Nexus' manner: Basic, always, and a missing repository reads
	// like a missing tag.
	BasicNexus Style = "basic-nexus"
)

const (
	unauthorized = http.StatusUnauthorized
	forbidden    = http.StatusForbidden
	notFound     = http.StatusNotFound

	garDenied = `Permission "artifactregistry.repositories.downloadArtifacts" denied on resource ` +
		`"projects/{project}/locations/us/repositories/{store}" (or it may not exist)`
	garAnonymous = `Unauthenticated request. Unauthenticated requests do not have permission ` +
		`"artifactregistry.repositories.downloadArtifacts" on resource ` +
		`"projects/{project}/locations/us/repositories/{store}" (or it may not exist)`
	ecrExpired  = "Your authorization token has expired. Reauthenticate and try again."
	ecrNoRepo   = "The repository with name '{repo}' does not exist in the registry with id '{account}'"
	ecrNotYours = "User: arn:aws:iam::{account}:user/{user} is not authorized to perform: ecr:BatchGetImage on resource: " +
		"arn:aws:ecr:eu-central-1:{account}:repository/{repo} because no identity-based policy allows the ecr:BatchGetImage action"
	harborDenied  = "unauthorized to access repository: {repo}, action: pull: unauthorized to access repository: {repo}, action: pull"
	azureRequired = "authentication required, visit https://aka.ms/acr/authorization for more information."
	gitlabWrong   = "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect " +
		"or you're required to use a token instead of a password."
	nexusNotAllowed = "access to the requested resource is not authorized"
)

// manners are the styles but Open, which nobody is asked under.
var manners = map[Style]manner{
	BearerHub: {grants: true, hides: true},
	BearerQuay: {grants: true, hides: true, mute: true, scoped: true, says: map[refusal]saying{
		refusesCaller: {status: unauthorized, code: "UNAUTHORIZED", text: "access to the requested resource is not authorized", detail: struct{}{}},
		refusesWrong:  {status: unauthorized, code: "UNAUTHORIZED", text: "Could not find robot with username: {user} and supplied password."},
		lacksManifest: {status: notFound, code: "MANIFEST_UNKNOWN", text: "manifest unknown", detail: struct{}{}},
	}},
	BearerStrict: {picky: true, says: map[refusal]saying{
		refusesWrong:     {status: forbidden, code: "DENIED", text: "denied"},
		refusesForbidden: {status: forbidden, code: "DENIED", text: "permission_denied: read_package"},
		lacksManifest:    {status: notFound, code: "MANIFEST_UNKNOWN", text: "manifest unknown"},
	}},
	BearerForbidding: {strict: true, lets: true, says: map[refusal]saying{
		refusesAnonymous: {status: forbidden, code: "DENIED", text: garAnonymous},
		refusesWrong:     {status: unauthorized, code: "UNAUTHORIZED", text: "authentication failed"},
		refusesForbidden: {status: forbidden, code: "DENIED", text: garDenied},
		lacksManifest:    {status: notFound, code: "MANIFEST_UNKNOWN", text: `Failed to fetch "{object}"`},
		lacksTags:        {status: notFound, code: "NAME_UNKNOWN", text: `Package "{repo}" not found`},
	}},
	BasicECR: {basic: `Basic realm="{base}/",service="ecr.amazonaws.com"`, says: map[refusal]saying{
		refusesCaller:    {status: unauthorized, body: "Not Authorized\n"},
		refusesExpired:   {status: forbidden, code: "DENIED", text: ecrExpired},
		refusesForbidden: {status: forbidden, code: "DENIED", text: ecrNotYours}, // and nothing about what exists
		lacksRepository:  {status: notFound, code: "NAME_UNKNOWN", text: ecrNoRepo},
		lacksTags:        {status: notFound, code: "NAME_UNKNOWN", text: ecrNoRepo},
		lacksManifest:    {status: notFound, code: "MANIFEST_UNKNOWN", text: "Requested image not found"},
	}},
	BearerECR: {grants: true, says: map[refusal]saying{
		refusesWrong:    {status: forbidden, code: "DENIED", text: "Your Authorization Token is invalid."},
		refusesExpired:  {status: forbidden, code: "DENIED", text: ecrExpired},
		lacksRepository: {status: notFound, code: "NAME_UNKNOWN", text: ecrNoRepo},
		lacksTags:       {status: notFound, code: "NAME_UNKNOWN", text: ecrNoRepo},
		lacksManifest:   {status: notFound, code: "MANIFEST_UNKNOWN", text: "Requested image not found"},
	}},
	BearerAzure: {strict: true, says: map[refusal]saying{
		refusesCaller:    {status: unauthorized, code: "UNAUTHORIZED", text: azureRequired},
		refusesAnonymous: {status: unauthorized, code: "UNAUTHORIZED", text: azureRequired},
		refusesWrong:     {status: unauthorized, code: "UNAUTHORIZED", text: azureRequired},
		refusesForbidden: {status: unauthorized, code: "UNAUTHORIZED", text: azureRequired},
		lacksRepository:  {status: notFound, code: "NAME_UNKNOWN", text: `repository "{repo}" is not found`},
		lacksTags:        {status: notFound, code: "NAME_UNKNOWN", text: `repository "{repo}" is not found`},
		lacksManifest:    {status: notFound, code: "MANIFEST_UNKNOWN", text: `manifest tagged by "{object}" is not found`},
	}},
	BearerHarbor: {grants: true, both: true, again: `Basic realm="harbor"`, says: map[refusal]saying{
		refusesCaller: {status: unauthorized, code: "UNAUTHORIZED", text: harborDenied},
		refusesWrong:  {status: unauthorized, code: "UNAUTHORIZED", text: "unauthorized"},
		lacksManifest: {status: notFound, code: "NOT_FOUND", text: "artifact {repo}:{object} not found"},
		lacksTags:     {status: notFound, code: "NOT_FOUND", text: "repository {repo} not found"},
	}},
	BearerGitLab: {strict: true, says: map[refusal]saying{
		refusesAnonymous: {status: forbidden, code: "DENIED", text: "access forbidden"},
		refusesForbidden: {status: forbidden, code: "DENIED", text: "access forbidden"},
		refusesWrong:     {status: unauthorized, code: "UNAUTHORIZED", text: gitlabWrong},
	}},
	BearerArtifactory: {both: true, says: map[refusal]saying{
		refusesAnonymous: {status: unauthorized, body: `{"errors":[{"status":401,"message":"Unauthorized"}]}` + "\n"},
		refusesWrong:     {status: unauthorized, body: `{"errors":[{"status":401,"message":"Bad props auth token"}]}` + "\n"},
		refusesExpired:   {status: unauthorized, body: `{"errors":[{"status":401,"message":"Token failed verification: expired"}]}` + "\n"},
		refusesForbidden: {status: forbidden, code: "UNAUTHORIZED", text: "The client does not have permission for manifest: {repo}/{object}"},
		lacksManifest:    {status: notFound, body: artifactoryUnknown},
		lacksTags:        {status: notFound, code: "NAME_UNKNOWN", text: "Repository name not known to registry."},
	}},
	BasicNexus: {basic: `BASIC realm="Sonatype Nexus Repository Manager"`, says: map[refusal]saying{
		refusesCaller:    {status: unauthorized, code: "UNAUTHORIZED", text: nexusNotAllowed},
		refusesForbidden: {status: forbidden, code: "DENIED", text: nexusNotAllowed},
		lacksManifest:    {status: notFound, code: "MANIFEST_UNKNOWN", text: "manifest unknown"},
		lacksTags:        {status: notFound, code: "NAME_UNKNOWN", text: "repository name not known to registry"},
	}},
}

const artifactoryUnknown = `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"The named manifest is not known to the registry.",` +
	`"detail":{"manifest":"{repo}/{object}"}}]}` + "\n"
