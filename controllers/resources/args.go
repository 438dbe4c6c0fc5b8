package resources

import (
	"cmp"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Where things are in the receiver's file system.
const (
	configDir = "/etc/postback/config"
	opsDir    = "/etc/postback/ops"
	dataDir   = "/var/lib/postback"
	storeFile = dataDir + "/postback.db"
	spoolDir  = dataDir + "/spool"
	// EmbeddedStore is the URL of the embedded store, in a pod.
	EmbeddedStore = "sqlite://" + storeFile
)

// Periods of a receiver's stop.
const (
	// drain is how long a receiver serves on after it was told to stop, for those who have not heard of it yet.
	drain = 5 * time.Second
	// defaultHold is the schema's: how long a request waits for the store.
	defaultHold = 20 * time.Second
	// stopMargin is for the last answers and for closing the store.
	stopMargin = 15 * time.Second
)

const storeEnv = "POSTBACK_STORE"

func hold(fleet *v1alpha1.ReceiverFleet) time.Duration {
	if postgres := fleet.Spec.Store.Postgres; postgres != nil && postgres.HoldFor != nil {
		return postgres.HoldFor.Duration
	}
	return defaultHold
}

// stopSeconds is what a stop takes at most when nothing is to be lost.
func stopSeconds(fleet *v1alpha1.ReceiverFleet) int64 {
	return int64((drain + hold(fleet) + stopMargin).Round(time.Second).Seconds())
}

// args are the receiver's flags. Whatever can change without a restart is in the configuration, not here.
func args(fleet *v1alpha1.ReceiverFleet) []string {
	flags := []string{
		"--config=" + configDir,
		fmt.Sprintf("--listen=:%d", httpPort),
		fmt.Sprintf("--ops-listen=:%d", OpsPort),
		"--ops-token-file=" + opsDir + "/" + v1alpha1.OpsTokenField,
		"--drain=" + drain.String(),
		"--hold=" + hold(fleet).String(),
		"--log-format=json",
	}
	flags = append(flags, retention(fleet.Spec.Retention)...)
	if fleet.Spec.AdminAPI != nil {
		flags = append(flags, fmt.Sprintf("--admin-listen=:%d", adminPort),
			"--admin-key-file="+adminDir+"/"+v1alpha1.DefaultKeyField)
	}
	postgres := fleet.Spec.Store.Postgres
	if postgres == nil {
		return append(flags, "--store="+EmbeddedStore)
	}
	if postgres.MaxConnections > 0 {
		flags = append(flags, fmt.Sprintf("--store-max-connections=%d", postgres.MaxConnections))
	}
	if postgres.RequireSynchronous {
		flags = append(flags, "--require-synchronous")
	}
	if volume := postgres.Spool; volume != nil {
		size := volumeSize(volume)
		flags = append(flags, "--spool-dir="+spoolDir, fmt.Sprintf("--spool-size=%dMiB", spoolMiB(size.Value())))
	}
	return flags
}

// retention leaves out what is not declared: the receiver's own defaults are the documented ones.
func retention(declared v1alpha1.Retention) (flags []string) {
	for _, one := range []struct {
		flag string
		keep *metav1.Duration
	}{
		{"clicks", declared.Clicks}, {"history", declared.History}, {"received", declared.Received},
		{"forwards", declared.Forwards},
	} {
		if one.keep != nil {
			flags = append(flags, fmt.Sprintf("--retention-%s=%s", one.flag, one.keep.Duration))
		}
	}
	return flags
}

// spoolMiB leaves a tenth of the volume to the file system and to what SQLite needs beside its rows.
func spoolMiB(volumeBytes int64) int64 { return max(1, volumeBytes/10*9>>20) }

// env hands the connection string over without showing it in the arguments.
func env(fleet *v1alpha1.ReceiverFleet) []*corev1ac.EnvVarApplyConfiguration {
	postgres := fleet.Spec.Store.Postgres
	if postgres == nil {
		return nil
	}
	return []*corev1ac.EnvVarApplyConfiguration{corev1ac.EnvVar().WithName(storeEnv).
		WithValueFrom(corev1ac.EnvVarSource().WithSecretKeyRef(corev1ac.SecretKeySelector().
			WithName(postgres.DSNSecretRef.Name).
			WithKey(cmp.Or(postgres.DSNSecretRef.Key, v1alpha1.DefaultDSNField))))}
}
